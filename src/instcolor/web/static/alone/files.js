// Bytes of files: what a result says about itself (XMP), and many files in one (ZIP, stored).

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});
const text = new TextEncoder();

function crc(...parts) {
  let sum = 0xffffffff;
  for (const part of parts) for (const byte of part) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

const big = (value, bytes) => Uint8Array.from({ length: bytes }, (_, i) => value >>> (8 * (bytes - 1 - i)));
const little = (...fields) => Uint8Array.from(fields.flatMap(([value, bytes]) =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 255)));

/** A JPEG or PNG file that says in XMP how it was made. */
export async function marked(blob, format, xmp) {
  const head = new Uint8Array(await blob.slice(0, 64).arrayBuffer());
  if (format === "JPEG") {
    // after the first segment where that is JFIF's, which has to be the first
    const at = head[3] === 0xe0 ? 4 + head[4] * 256 + head[5] : 2;
    const body = [text.encode("http://ns.adobe.com/xap/1.0/\0"), text.encode(xmp)];
    const length = body.reduce((sum, part) => sum + part.length, 2);
    return new Blob([blob.slice(0, at), big(0xffe1, 2), big(length, 2), ...body, blob.slice(at)], { type: blob.type });
  }
  const body = [text.encode("iTXt"), text.encode("XML:com.adobe.xmp\0\0\0\0\0"), text.encode(xmp)];
  const length = body.reduce((sum, part) => sum + part.length, -4);
  const at = 33; // after the signature and IHDR
  return new Blob([blob.slice(0, at), big(length, 4), ...body, big(crc(...body), 4), blob.slice(at)], { type: blob.type });
}

/** A ZIP file of [name, blob] pairs; two of one name get numbers. */
export async function zip(files) {
  const [parts, entries, seen] = [[], [], new Map()];
  let at = 0;
  for (const [given, blob] of files) {
    const count = (seen.get(given) ?? 0) + 1;
    seen.set(given, count);
    const name = text.encode(count > 1 ? given.replace(/(\.[^.]+)?$/, `-${count}$1`) : given);
    const data = new Uint8Array(await blob.arrayBuffer());
    // version 2.0, names in UTF-8, stored, 1 January 1980
    const facts = [[20, 2], [0x800, 2], [0, 2], [0, 2], [0x21, 2], [crc(data), 4], [data.length, 4], [data.length, 4], [name.length, 2], [0, 2]];
    parts.push(little([0x04034b50, 4], ...facts), name, data);
    entries.push(little([0x02014b50, 4], [20, 2], ...facts, [0, 2], [0, 2], [0, 2], [0, 4], [at, 4]), name);
    at += 30 + name.length + data.length;
  }
  const size = entries.reduce((sum, entry) => sum + entry.length, 0);
  const count = files.length;
  const end = little([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [at, 4], [0, 2]);
  return new Blob([...parts, ...entries, end], { type: "application/zip" });
}
