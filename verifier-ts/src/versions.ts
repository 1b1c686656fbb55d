// Semantic versions of native apps.

interface Version {
  numbers: bigint[];
  pre: string;
}

const number = "(0|[1-9][0-9]*)";
const pre = "(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";
const full = new RegExp(`^${number}\\.${number}\\.${number}(?:-(${pre}(?:\\.${pre})*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`);
const short = new RegExp(`^${number}(?:\\.${number})?$`);
const most = 2n ** 63n - 1n;

export function parseVersion(s: string): Version | undefined {
  const m = s.length <= 256 ? full.exec(s) : null;
  return m ? version(m.slice(1, 4), m[4] ?? "") : undefined;
}

function version(parts: (string | undefined)[], preRelease: string): Version | undefined {
  const numbers = parts.map((p) => BigInt(p ?? "0"));
  return numbers.some((n) => n > most) ? undefined : { numbers, pre: preRelease };
}

/** nativeVersion also takes what stores call a version: 7 and 7.1. */
function nativeVersion(s: string): Version | undefined {
  if (s === "builtin" || s === "unknown") return { numbers: [0n, 0n, 0n], pre: "" };
  const m = short.exec(s);
  return parseVersion(s) ?? (m ? version([m[1], m[2], "0"], "") : undefined);
}

function compareVersions(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) {
    if (a.numbers[i]! !== b.numbers[i]!) return a.numbers[i]! < b.numbers[i]! ? -1 : 1;
  }
  if (a.pre === b.pre) return 0;
  if (a.pre === "" || b.pre === "") return a.pre === "" ? 1 : -1;
  const x = a.pre.split(".");
  const y = b.pre.split(".");
  for (let i = 0; i < x.length && i < y.length; i++) {
    const c = compareIdent(x[i]!, y[i]!);
    if (c !== 0) return c;
  }
  return x.length - y.length;
}

function compareIdent(x: string, y: string): number {
  const nx = /^[0-9]+$/.test(x);
  const ny = /^[0-9]+$/.test(y);
  if (nx !== ny) return nx ? -1 : 1;
  if (nx && x.length !== y.length) return x.length - y.length;
  return x < y ? -1 : x > y ? 1 : 0;
}

/** holds says whether the range min to max has the version of a native app. */
export function holds(min: string, max: string, native: string): boolean {
  const v = nativeVersion(native);
  const lo = parseVersion(min);
  const hi = max === "" ? undefined : parseVersion(max);
  if (!v || !lo || (max !== "" && !hi)) return false;
  return compareVersions(v, lo) >= 0 && (!hi || compareVersions(v, hi) <= 0);
}
