// The one door through which an update comes onto a device.

import { hashOf, refuse, Refused, type Bytes, type Need } from "./bytes.ts";
import { Client } from "./client.ts";
import { openBlob } from "./cobblestone.ts";
import {
  deviceHash, readAnswer, readDirector, readManifest, readRequest, readTrust, targetPath, treeHash, trustPath,
  type Answer, type CheckRequest, type Director, type File, type Manifest, type Trust,
} from "./documents.ts";
import { open } from "./envelope.ts";
import { advance, checkProof } from "./log.ts";
import { brokenState, encodeState, ofBuild, type Build, type State } from "./state.ts";
import { maxTimestamp, type Target } from "./tuf.ts";
import { holds } from "./versions.ts";

/** How far a device's clock may be off, in milliseconds. */
const skew = 5 * 60_000;

/** One check: what was asked, what came back, and when. */
export interface Input {
  build: Build;
  /** milliseconds since 1970 */
  now: number;
  /** the exact body that was sent */
  request: Bytes;
  /** the body that came back */
  answer: Bytes;
  /** of the device's certificate; none = not enrolled */
  thumbprint?: string;
}

/** Where the files of a bundle come from. */
export interface Source {
  /** the content key of the manifest's epoch; undefined if it is not encrypted */
  key(m: Manifest): Promise<Bytes | undefined>;
  /** the stored form of a file */
  blob(f: File): Promise<Bytes>;
  /** what is in the bundle's folder besides the files that are handed out */
  extra?(): Promise<string[]>;
}

export interface Admitted {
  action: "install" | "stay" | "builtin";
  /** Of install, unless the device runs that bundle already. */
  bundle?: { manifest: Manifest; sha256: string; files: Map<string, Bytes> };
  rollout: string;
  arm: string;
  /** seconds */
  pollAfter: number;
  /** to be kept before anything else is done */
  state: Bytes;
}

/**
 * admit decides about an answer and takes in the files of the bundle it offers.
 * It throws Refused: then nothing is to be installed now, and its state is to be
 * kept all the same. Whatever is installed keeps running.
 */
export async function admit(state: State, input: Input, from: Source): Promise<Admitted> {
  const d = new Decider(state, input);
  try {
    return await d.run(from);
  } catch (e) {
    if (e instanceof Refused) e.state = encodeState(d.state);
    throw e;
  }
}

function lacks(...needs: Need[]): never {
  const e = new Refused("admit_documents_missing", `the answer lacks ${needs.length} documents`);
  e.needs = needs;
  throw e;
}

async function isTarget(t: Target, b: Bytes): Promise<boolean> {
  return b.length === t.length && (await hashOf(b)) === t.hashes.sha256;
}

function needTarget(path: string, t: Target): Need {
  const i = path.lastIndexOf("/") + 1;
  return { file: `${path.slice(0, i)}${t.hashes.sha256}.${path.slice(i)}`, target: true, max: t.length, sha256: t.hashes.sha256 };
}

class Decider {
  state: State;
  private readonly in: Input;
  private asked!: CheckRequest;
  private answer!: Answer;
  private client!: Client;
  private rules!: Trust;
  private order!: Director;

  constructor(state: State, input: Input) {
    this.state = state;
    this.in = input;
  }

  async run(from: Source): Promise<Admitted> {
    const b = this.in.build;
    if (b.app === "" || b.platform === "" || Number.isNaN(b.made) || !Number.isSafeInteger(b.floor) || b.floor < 0 || !["production", "staging"].includes(b.minClass)) {
      refuse("admit_build_invalid", "the native app lacks its app id, platform, class, floor or time of making");
    }
    this.state = await ofBuild(this.state, b);
    this.checkClock();
    this.readRequest();
    await this.walk();
    await this.readTrust();
    await this.readDirector();
    this.caughtUp();
    const plan = this.order.action === "install" ? await this.plan() : await this.advanceLog();
    const bundle = plan && (await this.takeIn(plan.manifest, plan.sha256, from));
    const { action, rollout, arm, poll_after } = this.order;
    return { action: action as Admitted["action"], ...(bundle && { bundle }), rollout, arm, pollAfter: poll_after, state: encodeState(this.state) };
  }

  private checkClock(): void {
    const { now, build } = this.in;
    if (now < build.made || (this.state.issued !== undefined && now < this.state.issued - skew)) {
      refuse("admit_clock_stale", "the device's clock is in the past");
    }
  }

  private readRequest(): void {
    const req = readRequest(this.in.request);
    if (req.app !== this.in.build.app) refuse("admit_app_other", `the request is for the app ${req.app}`);
    this.answer = readAnswer(this.in.answer);
    this.asked = req;
  }

  /** walk takes in the metadata. Whatever was taken in before an error is kept. */
  private async walk(): Promise<void> {
    try {
      this.client = await Client.resume(this.state.tuf, this.in.now);
    } catch (e) {
      if (e instanceof Refused) brokenState(`its metadata is damaged: ${e.message}`);
      throw e;
    }
    try {
      const c = this.client;
      for (const b of this.answer.roots) await c.updateRoot(b);
      if (this.answer.timestamp) await c.updateTimestamp(this.answer.timestamp);
      if (this.answer.snapshot) await c.updateSnapshot(this.answer.snapshot);
      if (this.answer.roles?.targets) await c.updateTargets("targets", this.answer.roles.targets);
      if (this.answer.roles?.staging) await c.updateTargets("staging", this.answer.roles.staging);
      const needs = await c.required();
      if (needs.length > 0) lacks(...needs);
    } finally {
      this.state.tuf = this.client.stored();
    }
  }

  private async target(path: string): Promise<{ target: Target; role: string }> {
    const f = await this.client.target(path);
    if (!f.target || !f.role) lacks(f.need!);
    return { target: f.target, role: f.role };
  }

  private async readTrust(): Promise<void> {
    const { target, role } = await this.target(trustPath);
    if (role !== "targets") refuse("admit_trust_refused", `trust.json is listed by the role ${role}`);
    const given = this.answer.trust;
    if (given && !(await isTarget(target, given))) refuse("admit_trust_refused", "trust.json is not the one that the metadata names");
    const kept = this.state.trust;
    const b = given ?? (kept && (await isTarget(target, kept)) ? kept : lacks(needTarget(trustPath, target)));
    const trust = await readTrust(b);
    if (trust.app !== this.in.build.app) refuse("admit_trust_refused", `trust.json is of the app ${trust.app}`);
    if (kept) await this.follows(trust, b, kept);
    this.rules = trust;
    this.state.trust = b;
    this.state.floor = Math.max(this.state.floor, trust.floor);
  }

  private async follows(next: Trust, b: Bytes, kept: Bytes): Promise<void> {
    let known: Trust;
    try {
      known = await readTrust(kept);
    } catch (e) {
      if (e instanceof Refused) brokenState("its trust.json is damaged");
      throw e;
    }
    if (next.version < known.version || (next.version === known.version && (await hashOf(b)) !== (await hashOf(kept)))) {
      refuse("admit_trust_refused", `trust.json has version ${next.version}, and version ${known.version} was seen`);
    }
  }

  private async readDirector(): Promise<void> {
    const o = readDirector(await open(this.answer.director, 8 << 10, this.rules.directors, "director"));
    const device = this.in.thumbprint || (await deviceHash(this.asked.app, this.asked.device));
    const now = this.in.now;
    if (o.app !== this.in.build.app) refuse("admit_app_other", `the director answers for the app ${o.app}`);
    if (o.request !== (await hashOf(this.in.request))) refuse("admit_request_other", "the director answers another request");
    if (o.device !== device) refuse("admit_device_other", "the director answers another device");
    if (o.issued > now + skew || now >= o.expires) refuse("admit_director_expired", "the director's answer is not of this time");
    this.state.issued = Math.max(this.state.issued ?? 0, o.issued);
    this.order = o;
  }

  /** caughtUp refuses metadata older than what the director says the server has. */
  private caughtUp(): void {
    if (this.client.root.version < this.order.root) lacks(this.client.nextRoot());
    if ((this.client.timestamp?.version ?? 0) < this.order.timestamp) lacks({ file: "timestamp.json", target: false, max: maxTimestamp, sha256: "" });
  }

  private async plan(): Promise<{ manifest: Manifest; sha256: string } | undefined> {
    const t = this.order.target;
    const floor = Math.max(this.state.floor, this.order.floor);
    if (t.seq < floor) refuse("admit_seq_below_floor", `the director names the bundle ${t.seq}, and none below ${floor} may run`);
    const target = await this.checkTarget();
    const { running } = this.asked;
    if (running.sha256 === t.sha256 && running.seq === t.seq && this.answer.proof === undefined) return this.advanceLog();
    const raw = this.answer.manifest ?? lacks(needTarget(t.path, target));
    if (!(await isTarget(target, raw))) refuse("admit_manifest_refused", "the manifest is not the one that the metadata names");
    const m = await readManifest(raw);
    this.checkManifest(m);
    const proof = this.answer.proof ?? refuse("admit_proof_missing", "there is no proof that the manifest is in the log");
    this.state.log = await checkProof(proof, t.sha256, this.rules, this.kept(), this.consistency());
    return { manifest: m, sha256: t.sha256 };
  }

  private async checkTarget(): Promise<Target> {
    const o = this.order.target;
    const staging = o.path === targetPath("staging", this.order.app, o.seq);
    if (staging && !(this.in.build.minClass === "staging" && this.rules.min_class === "staging")) {
      refuse("admit_class_refused", "the bundle is of the class staging, and this app runs production only");
    }
    const { target, role } = await this.target(o.path);
    const ok = role === (staging ? "staging" : "targets") && target.hashes.sha256 === o.sha256 && target.custom?.app === this.in.build.app && target.custom.seq === o.seq;
    if (!ok) refuse("admit_target_refused", "the director names a target that the metadata describes otherwise");
    return target;
  }

  private checkManifest(m: Manifest): void {
    const { build: b } = this.in;
    const o = this.order.target;
    if (m.app !== b.app) refuse("admit_app_other", `the bundle is of the app ${m.app}`);
    if (m.seq !== o.seq) refuse("admit_manifest_refused", `the manifest has seq ${m.seq}, its target ${o.seq}`);
    if (targetPath(m.class, m.app, m.seq) !== o.path) refuse("admit_class_refused", "the manifest is of another class than its target");
    if (!m.platforms.includes(b.platform)) refuse("admit_platform_other", `the bundle is not for ${b.platform}`);
    if (!holds(m.native.min, m.native.max, b.version)) refuse("admit_native_other", "the bundle is for other native apps");
    if (m.encryption.epoch < this.rules.epochs.min) refuse("admit_epoch_refused", "the bundle is under a key epoch that is no longer trusted");
  }

  /** kept is the checkpoint to go on from; another log begins anew. */
  private kept(): State["log"] {
    return this.state.log?.origin === this.rules.log.name ? this.state.log : undefined;
  }

  private consistency(): Bytes[] {
    return this.state.log && !this.kept() ? [] : (this.answer.consistency ?? []);
  }

  private async advanceLog(): Promise<undefined> {
    const c = this.answer.checkpoint;
    if (c !== undefined) this.state.log = await advance(c, this.rules, this.kept(), this.consistency());
    return undefined;
  }

  /** takeIn opens every file, and counts the bundle in. */
  private async takeIn(m: Manifest, sha256: string, from: Source): Promise<NonNullable<Admitted["bundle"]>> {
    const key = await from.key(m);
    const encrypted = m.encryption.mode !== "none";
    if (encrypted !== (key !== undefined)) refuse("admit_blob_refused", "an encrypted bundle needs its content key, and others have none");
    const files = new Map<string, Bytes>();
    for (const f of m.files) {
      const stored = await from.blob(f);
      if (stored.length !== f.enc_size || (await hashOf(stored)) !== f.blob) refuse("admit_blob_refused", "the bytes are not those that the manifest names");
      files.set(f.path, key ? await openBlob(key, { app: m.app, sha256: f.sha256, size: f.size }, stored) : stored);
    }
    const extra = (await from.extra?.()) ?? [];
    if (extra.length > 0) refuse("admit_files_other", `the files that are there are not those of the manifest: see ${extra[0]}`);
    if ((await treeHash(m.files)) !== m.tree) refuse("admit_files_other", "the files together are not the tree that was signed");
    if (m.seq < this.state.floor) refuse("admit_seq_below_floor", `none below ${this.state.floor} may run`);
    this.state.floor = Math.max(this.state.floor, m.floor);
    this.state.highest = Math.max(this.state.highest, m.seq);
    return { manifest: m, sha256, files };
  }
}
