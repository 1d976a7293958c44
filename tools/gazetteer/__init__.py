"""Turn the brand data of name-suggestion-index and Wikidata into the default pack's gazetteer."""
