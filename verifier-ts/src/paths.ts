// Paths that every device can store, each in one place.

import { compare } from "./bytes.ts";
import { byteLength } from "./shape.ts";

const forbidden = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\\:<>"|?*]/u;
const space = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/u;
const reserved = /^(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])$/;

function goodPath(p: string): boolean {
  return p !== "" && byteLength(p) <= maxPath && !forbidden.test(p) && p.split("/").every(goodPart) && p.normalize("NFC") === p;
}

const maxPath = 1024;
const maxName = 255;

function goodPart(part: string): boolean {
  const runes = [...part];
  const base = part.split(".")[0]!.replace(/ +$/, "").toUpperCase();
  return (
    part !== "" && part !== "." && part !== ".." && byteLength(part) <= maxName &&
    !space.test(runes[0]!) && !space.test(runes.at(-1)!) && runes.at(-1) !== "." && !reserved.test(base)
  );
}

/** pathKey is a text that two paths share if some file system takes them for one. */
function pathKey(p: string): string {
  return p.normalize("NFD").toUpperCase().toLowerCase().replaceAll("ς", "σ").normalize("NFC");
}

/** goodPaths says whether every path can be installed beside the others. */
export function goodPaths(paths: string[]): boolean {
  if (!paths.every(goodPath)) return false;
  const keys = paths.map((p) => pathKey(p).replaceAll("/", "\0")).sort(compare);
  for (let i = 1; i < keys.length; i++) {
    if (keys[i] === keys[i - 1] || keys[i]!.startsWith(keys[i - 1]! + "\0")) return false;
  }
  return true;
}
