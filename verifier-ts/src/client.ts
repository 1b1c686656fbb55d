// The client workflow of TUF, section 5: what may follow what.

import { hashOf, refuse, type Bytes, type Need } from "./bytes.ts";
import {
  maxDocument, maxRoot, maxTimestamp, readRoot, readSnapshot, readTargets, readTimestamp, tooLong,
  type Delegation, type Meta, type Ring, type Root, type Snapshot, type Target, type Targets, type Timestamp,
} from "./tuf.ts";

/** The documents a device stores, as they came. */
export interface Stored {
  root: Bytes;
  timestamp: Bytes | undefined;
  snapshot: Bytes | undefined;
  roles: Map<string, Bytes>;
}

/** What is looked up: a target and who says so, or the document that is missing. */
export interface Found {
  target?: Target;
  role?: string;
  need?: Need;
}

export class Client {
  root: Root;
  timestamp: Timestamp | undefined;
  snapshot: Snapshot | undefined;
  private readonly targets = new Map<string, Targets>();
  private now: number;
  private steps = 0;

  private constructor(root: Root, now: number) {
    this.root = root;
    this.now = now;
  }

  /** resume reads what was stored again, whether or not it has expired. */
  static async resume(s: Stored, now: number): Promise<Client> {
    const root = await readRoot(s.root);
    await root.demand(root.roles.root);
    const c = new Client(root, now);
    if (s.timestamp) c.timestamp = readTimestamp(s.timestamp);
    if (s.snapshot) c.snapshot = readSnapshot(s.snapshot);
    for (const [role, b] of s.roles) c.targets.set(role, await readTargets(role, b));
    return c;
  }

  /** stored is what is to be kept. */
  stored(): Stored {
    const roles = new Map<string, Bytes>();
    for (const role of this.snapshot?.meta.keys() ?? []) {
      const doc = this.targets.get(role);
      if (doc) roles.set(role, doc.raw);
    }
    return { root: this.root.raw, timestamp: this.timestamp?.raw, snapshot: this.snapshot?.raw, roles };
  }

  async updateRoot(b: Bytes): Promise<void> {
    if (this.steps >= 64) refuse("tuf_root_steps_exceeded", "64 roots were taken in already");
    const next = await readRoot(b);
    await next.demand(this.root.roles.root);
    if (next.version !== this.root.version + 1) refuse("tuf_version_wrong", `the root has version ${next.version}, the one after ${this.root.version} is wanted`);
    await next.demand(next.roles.root);
    if (lostKey(this.root.roles.timestamp, next.roles.timestamp) || lostKey(this.root.roles.snapshot, next.roles.snapshot)) {
      this.timestamp = undefined;
      this.snapshot = undefined;
    }
    this.root = next;
    this.steps++;
  }

  async updateTimestamp(b: Bytes): Promise<void> {
    this.root.fresh(this.now);
    tooLong("timestamp", b, maxTimestamp);
    const next = readTimestamp(b);
    await next.demand(this.root.roles.timestamp);
    const known = this.timestamp;
    if (known) {
      if (next.version < known.version) rolledBack("the timestamp");
      if (next.version === known.version && (await known.signedBy(this.root.roles.timestamp))) return known.fresh(this.now);
      if (next.snapshot.version < known.snapshot.version) rolledBack("the snapshot in the timestamp");
    }
    next.fresh(this.now);
    this.timestamp = next;
  }

  private async currentTimestamp(): Promise<Timestamp> {
    this.root.fresh(this.now);
    const t = this.timestamp ?? refuse("tuf_parent_missing", "there is no timestamp yet");
    await t.demand(this.root.roles.timestamp);
    t.fresh(this.now);
    return t;
  }

  async updateSnapshot(b: Bytes): Promise<void> {
    const want = (await this.currentTimestamp()).snapshot;
    tooLong("snapshot", b, cap(want));
    await demandHash("snapshot", want, b);
    const next = readSnapshot(b);
    await next.demand(this.root.roles.snapshot);
    if (next.version !== want.version) refuse("tuf_version_wrong", "the snapshot has another version than the timestamp names");
    const known = this.snapshot;
    if (known) {
      if (next.version < known.version) rolledBack("the snapshot");
      for (const [role, m] of known.meta) {
        if ((next.meta.get(role)?.version ?? 0) < m.version) rolledBack(`the role ${role} in the snapshot`);
      }
    }
    next.fresh(this.now);
    this.snapshot = next;
  }

  private async currentSnapshot(): Promise<Snapshot> {
    const want = (await this.currentTimestamp()).snapshot;
    const s = this.snapshot;
    if (!s || s.version !== want.version) refuse("tuf_parent_missing", "there is no snapshot of the version that the timestamp names");
    await demandHash("snapshot", want, s.raw);
    await s.demand(this.root.roles.snapshot);
    s.fresh(this.now);
    return s;
  }

  async updateTargets(role: string, b: Bytes): Promise<void> {
    const want = (await this.currentSnapshot()).meta.get(role) ?? refuse("tuf_role_unknown", `the snapshot does not name the role ${role}`);
    const by = await this.delegator(role);
    tooLong(role, b, cap(want));
    await demandHash(role, want, b);
    const next = await readTargets(role, b);
    await next.demand(by.ring);
    for (const path of next.targets.keys()) {
      if (!by.covers(path)) refuse("tuf_document_invalid", `the role ${role} lists what was not delegated to it`);
    }
    if (next.version !== want.version) refuse("tuf_version_wrong", `the role ${role} has another version than the snapshot names`);
    next.fresh(this.now);
    this.targets.set(role, next);
  }

  /** delegator is who says what keys a role has: the root, or the one top-level role. */
  private async delegator(role: string): Promise<Delegation> {
    if (role === "targets") return { name: role, ring: this.root.roles.targets, covers: () => true };
    const top = await this.current("targets", this.root.roles.targets).catch(() => undefined);
    return top?.doc?.delegations.find((d) => d.name === role) ?? refuse("tuf_role_unknown", `no current role delegates to ${role}`);
  }

  private async current(role: string, ring: Ring): Promise<{ doc?: Targets; need?: Need }> {
    const want = this.snapshot!.meta.get(role) ?? refuse("tuf_role_unknown", `the snapshot does not name the role ${role}`);
    const doc = this.targets.get(role);
    if (!doc || doc.version !== want.version || !(await matchesHash(want, doc.raw))) return { need: needOf(role, want) };
    await doc.demand(ring);
    doc.fresh(this.now);
    return { doc };
  }

  /** required are the documents without which nothing can be decided. */
  async required(): Promise<Need[]> {
    const timestamp = await this.currentTimestamp().catch(() => undefined);
    if (!timestamp) return [{ file: "timestamp.json", target: false, max: maxTimestamp, sha256: "" }];
    const snapshot = await this.currentSnapshot().catch(() => undefined);
    if (!snapshot) return [needOf("snapshot", timestamp.snapshot)];
    const top = await this.current("targets", this.root.roles.targets).catch(() => undefined);
    return top?.doc ? [] : [needOf("targets", snapshot.meta.get("targets")!)];
  }

  nextRoot(): Need {
    return { file: `${this.root.version + 1}.root.json`, target: false, max: maxRoot, sha256: "" };
  }

  /** target asks the release role, then the one role that the path is delegated to. */
  async target(path: string): Promise<Found> {
    await this.currentSnapshot();
    const top = await this.current("targets", this.root.roles.targets);
    if (!top.doc) return top;
    const own = top.doc.targets.get(path);
    if (own) return { target: own, role: "targets" };
    const to = top.doc.delegations.find((d) => d.covers(path));
    if (to) {
      const child = await this.current(to.name, to.ring);
      if (!child.doc) return child;
      const t = child.doc.targets.get(path);
      if (t) return { target: t, role: to.name };
    }
    return refuse("tuf_target_unknown", `no trusted role lists the target ${path}`);
  }
}

function lostKey(old: Ring, now: Ring): boolean {
  return old.keys.some((k) => !now.keys.some((n) => n.id === k.id));
}

function rolledBack(what: string): never {
  refuse("tuf_rollback", `a version of ${what} comes after a newer one`);
}

function cap(m: Meta): number {
  return Math.min(maxDocument, m.length);
}

async function matchesHash(m: Meta, b: Bytes): Promise<boolean> {
  return b.length === m.length && (await hashOf(b)) === m.hashes.sha256;
}

async function demandHash(role: string, m: Meta, b: Bytes): Promise<void> {
  if (!(await matchesHash(m, b))) refuse("tuf_hash_mismatch", `the document of ${role} is not the one that its parent names`);
}

function needOf(role: string, m: Meta): Need {
  return { file: `${m.version}.${role}.json`, target: false, max: cap(m), sha256: "" };
}
