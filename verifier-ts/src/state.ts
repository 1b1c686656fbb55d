// What a device remembers of all it ever admitted. It must be durable before
// anything that was decided with it is acted on.

import { base64, hashOf, hex, refuse, Refused, type Bytes } from "./bytes.ts";
import { encode } from "./canon.ts";
import type { Stored } from "./client.ts";
import type { Checkpoint } from "./log.ts";
import { base64Bytes, hexBytes, integer, map, object, optional, read, text, time, timeText } from "./shape.ts";

/** What a native app was made with. No update can change any of it. */
export interface Build {
  app: string;
  platform: string;
  /** of the native app */
  version: string;
  minClass: "production" | "staging";
  /** TUF root, signed */
  root: Bytes;
  floor: number;
  /** milliseconds since 1970; no clock is earlier */
  made: number;
}

export interface State {
  app: string;
  base: string;
  tuf: Stored;
  trust: Bytes | undefined;
  floor: number;
  highest: number;
  log: Checkpoint | undefined;
  issued: number | undefined;
}

const shape = object({
  _type: text, app: text, base: text, floor: integer, highest: integer, issued: optional(time),
  log: object({ origin: text, root: hexBytes, size: integer }), trust: optional(base64Bytes),
  tuf: object({ roles: map(base64Bytes), root: base64Bytes, snapshot: optional(base64Bytes), timestamp: optional(base64Bytes) }), v: integer,
});

export function brokenState(why: string): never {
  refuse("admit_state_invalid", `the stored state cannot be used: ${why}`);
}

/** fresh is the state of a native app that was just installed. */
export async function fresh(b: Build): Promise<State> {
  return {
    app: b.app, base: await hashOf(b.root), tuf: { root: b.root, timestamp: undefined, snapshot: undefined, roles: new Map() },
    trust: undefined, floor: b.floor, highest: 0, log: undefined, issued: undefined,
  };
}

export function decodeState(b: Bytes): State {
  let s: ReturnType<typeof shape>;
  try {
    s = read(b, 32 << 20, shape, "admission");
  } catch (e) {
    if (e instanceof Refused) brokenState(e.message);
    throw e;
  }
  const { origin, root, size } = s.log;
  const log = origin === "" ? undefined : { origin, root, size };
  if (s._type !== "admission" || s.v !== 1 || s.app === "" || s.base.length !== 64) brokenState("it is of no app");
  if (log ? root.length !== 32 : root.length !== 0 || size !== 0) brokenState("its checkpoint is none");
  return {
    app: s.app, base: s.base, floor: s.floor, highest: s.highest, issued: s.issued, trust: s.trust, log,
    tuf: { root: s.tuf.root, timestamp: s.tuf.timestamp, snapshot: s.tuf.snapshot, roles: s.tuf.roles },
  };
}

export function encodeState(s: State): Bytes {
  const b64 = (b: Bytes | undefined): string | undefined => (b && b.length > 0 ? base64(b) : undefined);
  return encode({
    _type: "admission", app: s.app, base: s.base, floor: s.floor, highest: s.highest,
    issued: s.issued === undefined ? undefined : timeText(s.issued),
    log: { origin: s.log?.origin ?? "", root: s.log ? hex(s.log.root) : "", size: s.log?.size ?? 0 }, trust: b64(s.trust),
    tuf: {
      roles: Object.fromEntries([...s.tuf.roles].map(([k, b]) => [k, base64(b)])), root: base64(s.tuf.root),
      snapshot: b64(s.tuf.snapshot), timestamp: b64(s.tuf.timestamp),
    },
    v: 1,
  });
}

/** ofBuild refuses the state of another app, and begins metadata anew under another root. */
export async function ofBuild(s: State, b: Build): Promise<State> {
  if (s.app !== b.app) brokenState(`it is of the app ${s.app}`);
  const out = s.base === (await hashOf(b.root)) ? { ...s } : { ...(await fresh(b)), floor: s.floor, highest: s.highest, issued: s.issued };
  out.floor = Math.max(out.floor, b.floor);
  return out;
}
