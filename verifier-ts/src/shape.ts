// Shapes of documents: which fields there are and what each may hold. A field too
// many or too few is refused; so is an optional one that is there and empty.

import { fromBase64, fromHex, refuse, utf8, type Bytes } from "./bytes.ts";
import { ObjectValue, parse, type Value } from "./canon.ts";

/** A reader of one value; path is for messages. */
export type Shape<T> = (v: Value, path: string) => T;

interface Optional<T> {
  optional: Shape<T>;
  empty(v: T): boolean;
}

type Field = Shape<unknown> | Optional<unknown>;
type Of<F> = F extends Shape<infer T> ? T : F extends Optional<infer T> ? T | undefined : never;

function wrongType(path: string, want: string): never {
  refuse("canonical_type", `${path}: ${want} is wanted`);
}

export function bad(code: string, path: string, why: string): never {
  refuse(code, `${path} ${why}`);
}

/** optional marks a field that is left out when it is empty. */
export function optional<T extends string | Uint8Array | unknown[] | number>(shape: Shape<T>): Optional<T> {
  return { optional: shape, empty: (v) => (typeof v === "number" ? Number.isNaN(v) : v.length === 0) };
}

/** optionalObject is optional for an object, which is empty if all its fields are. */
export function optionalObject<T extends object>(shape: Shape<T>): Optional<T> {
  return { optional: shape, empty: (v) => Object.values(v).every((m) => m === undefined) };
}

/** object is an object with exactly these fields. */
export function object<F extends { [name: string]: Field }>(fields: F): Shape<{ [K in keyof F]: Of<F[K]> }> {
  const names = Object.keys(fields);
  return (v, path) => {
    if (!(v instanceof ObjectValue)) wrongType(path, "an object");
    const out: { [name: string]: unknown } = {};
    for (const name of v.members.keys()) {
      if (!names.includes(name)) refuse("canonical_unknown_field", `${path}.${name} is no field of this document`);
    }
    for (const name of names) {
      const f = fields[name]!;
      const m = v.members.get(name);
      if (typeof f === "function") {
        if (m === undefined) refuse("canonical_missing_field", `${path}.${name} is missing`);
        out[name] = f(m, `${path}.${name}`);
      } else if (m !== undefined) {
        const got = f.optional(m, `${path}.${name}`);
        if (f.empty(got)) refuse("canonical_form", `${path}.${name} is there although it is empty`);
        out[name] = got;
      }
    }
    return out as { [K in keyof F]: Of<F[K]> };
  };
}

/** map is an object with any keys. */
export function map<T>(shape: Shape<T>): Shape<Map<string, T>> {
  return (v, path) => {
    if (!(v instanceof ObjectValue)) wrongType(path, "an object");
    const out = new Map<string, T>();
    for (const [k, m] of v.members) out.set(k, shape(m, `${path}.${k}`));
    return out;
  };
}

export function list<T>(shape: Shape<T>): Shape<T[]> {
  return (v, path) => {
    if (!Array.isArray(v)) wrongType(path, "an array");
    return v.map((m, i) => shape(m, `${path}[${i}]`));
  };
}

export const text: Shape<string> = (v, path) => (typeof v === "string" ? v : wrongType(path, "a string"));
export const integer: Shape<number> = (v, path) => (typeof v === "number" ? v : wrongType(path, "a number"));
export const flag: Shape<boolean> = (v, path) => (typeof v === "boolean" ? v : wrongType(path, "true or false"));

export const uint32: Shape<number> = (v, path) => {
  const n = integer(v, path);
  return n < 2 ** 32 ? n : bad("canonical_number", path, "is too large");
};

/** rawObject is a part of a document, as the bytes it travels in. */
export const rawObject: Shape<Bytes> = (v, path) => (v instanceof ObjectValue ? v.raw : wrongType(path, "an object"));

export const hexBytes: Shape<Bytes> = (v, path) => fromHex(text(v, path)) ?? bad("canonical_string", path, "is not lower-case hex");
export const base64Bytes: Shape<Bytes> = (v, path) => fromBase64(text(v, path)) ?? bad("canonical_string", path, "is not base64");

/** time is a time in whole seconds, in milliseconds since 1970. */
export const time: Shape<number> = (v, path) => {
  const s = text(v, path);
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(s) ? Date.parse(s) : NaN;
  if (Number.isNaN(ms) || ms < 0 || timeText(ms) !== s) bad("canonical_string", path, "is no time such as 2026-11-24T19:00:00Z");
  return ms;
};

export function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19) + "Z";
}

export function read<T>(b: Bytes, max: number, shape: Shape<T>, name: string): T {
  return shape(parse(b, max), name);
}

/** byteLength of a text in UTF-8. */
export function byteLength(s: string): number {
  return utf8(s).length;
}
