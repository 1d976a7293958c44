"""States, provinces, nations and counties as banks print them, and the countries' own names.

Sources: ISO 3166-2 names, the postal abbreviations of the United States, Canada and Australia, and the traditional abbreviations of
British counties.
"""

CANADA = {
    "AB": ("Alberta", "01"),
    "BC": ("British Columbia", "02"),
    "MB": ("Manitoba", "03"),
    "NB": ("New Brunswick", "04"),
    "NL": ("Newfoundland and Labrador", "05"),
    "NS": ("Nova Scotia", "07"),
    "ON": ("Ontario", "08"),
    "PE": ("Prince Edward Island", "09"),
    "QC": ("Quebec", "10"),
    "SK": ("Saskatchewan", "11"),
    "YT": ("Yukon", "12"),
    "NT": ("Northwest Territories", "13"),
    "NU": ("Nunavut", "14"),
}
"""Province code: name, GeoNames first-level code."""

CANADA_OLD = {"PQ": "QC", "QUE": "QC", "ONT": "ON", "ALTA": "AB", "SASK": "SK", "NFLD": "NL", "NEWFOUNDLAND": "NL", "PEI": "PE"}

AUSTRALIA = {
    "ACT": ("Australian Capital Territory", "01"),
    "NSW": ("New South Wales", "02"),
    "NT": ("Northern Territory", "03"),
    "QLD": ("Queensland", "04"),
    "SA": ("South Australia", "05"),
    "TAS": ("Tasmania", "06"),
    "VIC": ("Victoria", "07"),
    "WA": ("Western Australia", "08"),
}

TERRITORIES = {"PR": "Puerto Rico", "GU": "Guam", "VI": "US Virgin Islands", "AS": "American Samoa", "MP": "Northern Mariana Islands"}
"""Of the United States, beside the states."""

BRITAIN = {
    "ENG": "England|Beds|Bedfordshire|Berks|Berkshire|Bucks|Buckinghamshire|Cambs|Cambridgeshire|Cheshire|Cornwall|Cumbria|"
    "Derbys|Derbyshire|Devon|Dorset|East Sussex|Essex|Glos|Gloucestershire|Greater London|Greater Manchester|Hampshire|"
    "Hants|Herefordshire|Hertfordshire|Herts|Kent|Lancashire|Lancs|Leicestershire|Leics|Lincolnshire|Lincs|Merseyside|"
    "Middlesex|Middx|Norfolk|North Yorkshire|Northamptonshire|Northants|Northumberland|Nottinghamshire|Notts|Oxfordshire|"
    "Oxon|Shropshire|Somerset|South Yorkshire|Staffordshire|Staffs|Suffolk|Surrey|Sussex|Tyne and Wear|Warwickshire|"
    "West Midlands|West Sussex|West Yorkshire|Wiltshire|Wilts|Worcestershire|Worcs|Yorks|Yorkshire",
    "SCT": "Scotland|Aberdeenshire|Ayrshire|Fife|Lanarkshire|Midlothian|Renfrewshire|West Lothian",
    "WLS": "Wales|Carmarthenshire|Ceredigion|Flintshire|Glamorgan|Gwent|Gwynedd|Mid Glamorgan|Monmouthshire|Pembrokeshire|"
    "Powys|South Glamorgan",
    "NIR": "Northern Ireland|Antrim|Co Antrim|Co Armagh|Co Down|Co Tyrone|Co Londonderry",
}
"""ISO 3166-2 code of the nation: its name, then its counties."""

OWN_NAMES = {
    "AE": "UAE",
    "AT": "Österreich|Oesterreich",
    "BE": "België|Belgique|Belgien",
    "BR": "Brasil",
    "CH": "Schweiz|Suisse|Svizzera",
    "CZ": "Česko|Ceska Republika|Czech Republic",
    "DE": "Deutschland|Allemagne|Alemania|Duitsland",
    "DK": "Danmark",
    "ES": "España|Espagne|Spanien|Spanje",
    "FI": "Suomi|Finnland",
    "FR": "Frankreich|Francia|Frankrijk",
    "GB": "UK|Great Britain|United Kingdom|Grossbritannien|Royaume Uni|Reino Unido",
    "GR": "Hellas|Griechenland",
    "HR": "Hrvatska|Kroatien",
    "HU": "Magyarorszag|Ungarn",
    "IE": "Eire|Irland|Republic of Ireland",
    "IT": "Italia|Italien|Italie",
    "KR": "Korea|Republic of Korea",
    "LT": "Lietuva",
    "LU": "Luxemburg",
    "MX": "México",
    "NL": "Nederland|Niederlande|Pays Bas|The Netherlands|Holland",
    "NO": "Norge|Norwegen",
    "PL": "Polska|Polen",
    "PT": "Portogallo",
    "RO": "Rumänien",
    "RU": "Russian Federation",
    "SE": "Sverige|Schweden",
    "SK": "Slovensko",
    "TR": "Türkiye|Turkiye",
    "US": "USA|United States of America|Estados Unidos|Etats Unis",
    "VN": "Viet Nam",
}

OWN_CITIES = {
    "Antwerp": "Antwerpen|Anvers",
    "Athens": "Athina",
    "Basel": "Bâle",
    "Bengaluru": "Bangalore",
    "Brussels": "Bruxelles|Brussel",
    "Bucharest": "Bucuresti",
    "Copenhagen": "København|Kobenhavn",
    "Florence": "Firenze",
    "Geneva": "Genève|Genf",
    "Genoa": "Genova",
    "Ghent": "Gent|Gand",
    "Gothenburg": "Göteborg",
    "Gurugram": "Gurgaon",
    "Hanover": "Hannover",
    "Kolkata": "Calcutta",
    "Köln": "Cologne",
    "Lisbon": "Lisboa",
    "Liège": "Luik",
    "Luzern": "Lucerne",
    "Malmö": "Malmoe",
    "Mexico City": "Ciudad de Mexico|Mexico DF|CDMX",
    "Milan": "Milano",
    "Moscow": "Moskva|Moskau",
    "Mumbai": "Bombay",
    "Munich": "München|Munchen",
    "Naples": "Napoli",
    "New York City": "New York|NYC",
    "Nuremberg": "Nürnberg|Nurnberg",
    "Padova": "Padua",
    "Prague": "Praha|Prag",
    "Rome": "Roma",
    "Saint Petersburg": "Sankt Peterburg",
    "Seville": "Sevilla",
    "The Hague": "Den Haag|S Gravenhage",
    "Turin": "Torino",
    "Venice": "Venezia",
    "Vienna": "Wien",
    "Warsaw": "Warszawa",
    "Zürich": "Zuerich",
}
"""Name in GeoNames: how the city prints at home, or abroad where GeoNames has the home name."""

SUBURBS = {
    "AE": "Al Barsha|Al Quoz|Deira|Jumeirah|Karama|Khalifa City|Satwa|Yas Island",
    "AR": "CABA|Caballito|Capital Federal|Puerto Madero|Recoleta|San Telmo|Villa Crespo|Villa Urquiza",
    "BD": "Banani|Gulshan|Mirpur|Uttara",
    "BR": "Botafogo|Tijuca|Vila Olimpia",
    "CA": "North York|Scarborough|Yorkville",
    "CL": "Las Condes|Lo Barnechea|Providencia|Vitacura",
    "CO": "Chapinero|El Poblado|Laureles|Usaquén",
    "DE": "Sachsenhausen|Schwabing",
    "EG": "Dokki|Heliopolis|Maadi|Mohandessin|Nasr City|Sheikh Zayed|Zamalek",
    "FR": "Montmartre|Montparnasse|Part Dieu",
    "GB": "Camden|Clapham|Covent Garden|Dalston|Ealing|Finsbury Park|Hackney|Hammersmith|Headingley|Hoxton|Jesmond|Leith|Lewisham|"
    "Paddington|Shoreditch",
    "GH": "Airport City|East Legon|Spintex",
    "HK": "Admiralty|Causeway Bay|Kowloon Bay|Mongkok|North Point|Quarry Bay|Shatin|Wanchai",
    "ID": "Canggu|Jakarta Barat|Jakarta Pusat|Jakarta Selatan|Jakarta Timur|Jakarta Utara|Kelapa Gading|Kemang|Menteng|"
    "Pondok Indah|Seminyak|Senayan",
    "IE": "Cornelscourt|Liffey Valley|Ranelagh|Stillorgan",
    "IN": "Andheri|Anna Nagar|Bandra|Banjara Hills|Borivali|Connaught Place|Dadar|Electronic City|Gachibowli|Goregaon|Hinjewadi|"
    "Hitech City|HSR Layout|Indiranagar|Jayanagar|Jubilee Hills|Koramangala|Kothrud|Lajpat Nagar|Malad|Malleswaram|"
    "Rajouri Garden|Saket|Salt Lake|T Nagar|Vasant Kunj|Velachery|Viman Nagar|Whitefield",
    "JP": "Ginza|Namba|Roppongi|Ueno|Umeda",
    "KE": "Kilimani|Lavington|Ngong Road|Parklands|Thika Road|Upper Hill|Westlands",
    "KR": "Gangnam|Hongdae|Itaewon|Jongno|Mapo|Myeongdong|Seocho|Songpa",
    "LK": "Bambalapitiya|Nugegoda|Rajagiriya",
    "MX": "Cdad de Mexico|Ciudad de Mex|Condesa|Del Valle|Interlomas|Roma Norte|Satelite",
    "MY": "Damansara|KLCC|Mid Valley",
    "NG": "Ajah|Garki|Ikoyi|Maitama|Victoria Island|Wuse|Yaba",
    "NZ": "Manukau|Newmarket|Sylvia Park",
    "PE": "La Molina|San Borja|Surco",
    "PH": "Alabang|BGC Taguig|Bonifacio Global City|Cubao|Diliman|Eastwood|Ermita|Greenhills|Malate|Ortigas",
    "PK": "Clifton|Gulberg|Johar Town|Saddar",
    "SA": "Al Khobar|Al Olaya|Olaya",
    "SG": "Ang Mo Kio|Bedok|Bishan|Bugis|Changi|Clementi|Pasir Ris|Sengkang|Tampines|Toa Payoh|Yishun",
    "TH": "Silom|Sukhumvit|Thonglor",
    "TR": "Bakırköy|Beşiktaş|Beyoğlu|Bornova|Kadıköy|Kartal|Levent|Taksim",
    "TW": "Ximending|Xinyi",
    "US": "Bronx|Buckhead",
    "VN": "Ha Noi|HCMC|Ho Chi Minh|Thao Dien|Tp Hcm",
    "ZA": "Ballito|Bellville|Braamfontein|Bryanston|Canal Walk|Century City|Fourways|Hatfield|Hyde Park|Kempton Park|Melrose Arch|"
    "Menlyn|Milnerton|Parktown|Sandton|Sea Point|Tyger Valley|Umhlanga",
}
"""Country: parts of its great cities, and short forms of their names, that banks print as the place and GeoNames does not list as one."""
