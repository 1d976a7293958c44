// A zip archive of a few small text files, stored as they are: PKWARE's APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16.

const LOCAL = 0x04034b50, CENTRAL = 0x02014b50, END = 0x06054b50, VERSION = 20, UTF8 = 0x0800;

const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});
const crcOf = bytes => (bytes.reduce((crc, byte) => CRCS[(crc ^ byte) & 0xff] ^ (crc >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;

// Fields are [bytes wide, value], little-endian.
function record(...fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [wide]) => sum + wide, 0)));
  let place = 0;
  for (const [wide, value] of fields) {
    if (wide === 2) view.setUint16(place, value, true); else view.setUint32(place, value, true);
    place += wide;
  }
  return view;
}

export function zip(files) {
  const text = new TextEncoder(), body = [], directory = [];
  let place = 0, listed = 0;
  for (const [name, content] of Object.entries(files)) {
    const title = text.encode(name), bytes = text.encode(content);
    // version needed, flags, stored, time, date (1980-01-01), checksum, sizes, length of the name, no extra
    const about = [[2, VERSION], [2, UTF8], [2, 0], [2, 0], [2, 33], [4, crcOf(bytes)], [4, bytes.length], [4, bytes.length], [2, title.length], [2, 0]];
    const local = record([4, LOCAL], ...about), central = record([4, CENTRAL], [2, VERSION], ...about, [2, 0], [2, 0], [2, 0], [4, 0], [4, place]);
    body.push(local, title, bytes);
    directory.push(central, title);
    place += local.byteLength + title.length + bytes.length;
    listed += central.byteLength + title.length;
  }
  const count = Object.keys(files).length;
  const end = record([4, END], [2, 0], [2, 0], [2, count], [2, count], [4, listed], [4, place], [2, 0]);
  return new Blob([...body, ...directory, end], { type: "application/zip" });
}
