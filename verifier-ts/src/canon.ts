// Canonical JSON (docs/sealed/spec-crypto.md): one form for each document, read
// and refused byte by byte. JSON.parse is not used: it takes more than one form.

import { refuse, utf8, type Bytes } from "./bytes.ts";

/** A value of a document. Objects are Maps, so no key has a meaning of its own. */
export type Value = string | number | boolean | Value[] | ObjectValue;

/** An object with the bytes it was read from. */
export class ObjectValue {
  readonly members = new Map<string, Value>();
  raw: Bytes = new Uint8Array(0);
}

const maxDepth = 16;
const maxKey = 512;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** parse reads bytes of exactly one canonical document. */
export function parse(b: Bytes, max: number): Value {
  if (b.length > max) refuse("canonical_too_long", `the document has ${b.length} bytes, ${max} are allowed`);
  const p = new Parser(b);
  const v = p.value();
  if (p.at !== b.length) refuse("canonical_syntax", "something follows the document");
  return v;
}

class Parser {
  at = 0;
  private depth = 0;
  private readonly b: Bytes;

  constructor(b: Bytes) {
    this.b = b;
  }

  value(): Value {
    const c = this.b[this.at];
    switch (c) {
      case 0x7b:
        return this.object();
      case 0x5b:
        return this.array();
      case 0x22:
        return this.text();
      case 0x74:
        return this.word("true", true);
      case 0x66:
        return this.word("false", false);
      case 0x6e:
        return this.fail("canonical_type", "documents have no null");
    }
    if (c === 0x2d || (c !== undefined && c >= 0x30 && c <= 0x39)) return this.number();
    return this.fail("canonical_syntax", "a value is wanted");
  }

  private fail(code: string, why: string): never {
    refuse(code, `the document is not canonical JSON at byte ${this.at}: ${why}`);
  }

  private take(c: number): boolean {
    if (this.b[this.at] !== c) return false;
    this.at++;
    return true;
  }

  private enter(): void {
    if (++this.depth > maxDepth) this.fail("canonical_depth", `more than ${maxDepth} levels`);
    this.at++;
  }

  private object(): ObjectValue {
    const from = this.at;
    const out = new ObjectValue();
    this.enter();
    if (!this.take(0x7d)) {
      for (let last = ""; ; ) {
        const key = this.key(last);
        out.members.set(key, this.value());
        last = key;
        if (this.take(0x7d)) break;
        if (!this.take(0x2c)) this.fail("canonical_syntax", "a comma or } is wanted");
      }
    }
    this.depth--;
    out.raw = this.b.subarray(from, this.at);
    return out;
  }

  private key(last: string): string {
    if (!this.take(0x22)) this.fail("canonical_syntax", "a key is wanted");
    const from = this.at;
    let key = "";
    while (this.at < this.b.length && this.b[this.at] !== 0x22) key += String.fromCharCode(this.b[this.at++]!);
    if (!/^[A-Za-z0-9_.:/-]+$/.test(key) || this.at - from > maxKey) this.fail("canonical_key", "a key has characters that keys do not have");
    if (key === last) this.fail("canonical_duplicate", "a key is there twice");
    if (key < last) this.fail("canonical_form", "keys are not sorted");
    if (!this.take(0x22) || !this.take(0x3a)) this.fail("canonical_syntax", "a colon is wanted");
    return key;
  }

  private array(): Value[] {
    const out: Value[] = [];
    this.enter();
    if (!this.take(0x5d)) {
      for (;;) {
        out.push(this.value());
        if (this.take(0x5d)) break;
        if (!this.take(0x2c)) this.fail("canonical_syntax", "a comma or ] is wanted");
      }
    }
    this.depth--;
    return out;
  }

  private text(): string {
    const from = ++this.at;
    let escaped = false;
    for (;;) {
      const c = this.b[this.at];
      if (c === undefined) this.fail("canonical_syntax", "the document ends in a string");
      if (c === 0x22) break;
      if (c < 0x20) this.fail("canonical_string", "a string has a control character");
      if (c !== 0x5c) {
        this.at++;
        continue;
      }
      const n = this.b[this.at + 1];
      if (n === undefined) this.fail("canonical_syntax", "the document ends in a string");
      if (n !== 0x22 && n !== 0x5c && n !== 0x6e) this.fail("canonical_form", 'only \\", \\\\ and \\n are escaped');
      escaped = true;
      this.at += 2;
    }
    let s = "";
    try {
      s = strict.decode(this.b.subarray(from, this.at));
    } catch {
      this.fail("canonical_string", "a string is not valid UTF-8");
    }
    this.at++;
    return escaped ? s.replace(/\\(.)/gs, (_, c: string) => (c === "n" ? "\n" : c)) : s;
  }

  private number(): number {
    const from = this.at;
    let digits = "";
    for (let c = this.b[this.at]; c !== undefined && c >= 0x30 && c <= 0x39; c = this.b[++this.at]) digits += String.fromCharCode(c);
    if (digits === "") this.fail("canonical_number", "a number is negative");
    if (digits.length > 1 && digits[0] === "0") this.fail("canonical_form", "a number starts with 0");
    const next = this.b[this.at];
    if (next === 0x2e || next === 0x65 || next === 0x45) this.fail("canonical_number", "a number is no integer");
    if (this.at - from > 16 || !Number.isSafeInteger(Number(digits))) this.fail("canonical_number", "a number is above 2^53-1");
    return Number(digits);
  }

  private word<T extends boolean>(text: string, v: T): T {
    for (let i = 0; i < text.length; i++) {
      if (this.b[this.at + i] !== text.charCodeAt(i)) this.fail("canonical_type", "true or false is wanted");
    }
    this.at += text.length;
    return v;
  }
}

/** signing is the OLPC form, which TUF signs: newlines are raw bytes. */
export function signing(b: Bytes): Bytes {
  const out = new Uint8Array(b.length);
  let n = 0;
  for (let i = 0; i < b.length; i++) {
    if (b[i] !== 0x5c || i + 1 === b.length) {
      out[n++] = b[i]!;
    } else if (b[i + 1] === 0x6e) {
      out[n++] = 0x0a;
      i++;
    } else {
      out[n++] = b[i]!;
      out[n++] = b[++i]!;
    }
  }
  return out.slice(0, n);
}

/** What encode writes; members that are undefined are left out. */
export type Plain = string | number | boolean | Plain[] | { [key: string]: Plain | undefined };

/** encode writes the canonical form. */
export function encode(v: Plain): Bytes {
  return utf8(write(v));
}

function write(v: Plain): string {
  if (typeof v === "string") return '"' + v.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n") + '"';
  if (typeof v === "number" || typeof v === "boolean") return String(v);
  if (Array.isArray(v)) return "[" + v.map(write).join(",") + "]";
  const parts: string[] = [];
  for (const key of Object.keys(v).sort()) {
    const m = v[key];
    if (m !== undefined) parts.push(write(key) + ":" + write(m));
  }
  return "{" + parts.join(",") + "}";
}
