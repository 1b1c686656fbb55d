// The ceremonies of signing in that a form cannot do: passkeys and one-time links.
"use strict";
(() => {
  const $ = (s) => document.querySelector(s);
  const error = $("[data-error]");
  const say = (text) => { if (error) { error.textContent = text; error.hidden = !text; } };

  async function post(path, body) {
    const res = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const out = res.headers.get("Content-Length") === "0" ? {} : await res.json().catch(() => ({}));
    if (out.code === "step_up_required") { location.assign("/console/step-up?next=" + encodeURIComponent(location.pathname)); }
    if (!res.ok) throw new Error([out.detail || "That did not work.", out.hint].filter(Boolean).join(" "));
    return out;
  }
  const credential = async (verb, publicKey) => {
    const options = verb === "get" ? PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) : PublicKeyCredential.parseCreationOptionsFromJSON(publicKey);
    return (await navigator.credentials[verb]({ publicKey: options })).toJSON();
  };
  const go = (next) => { location.assign(next && next.startsWith("/") && !next.startsWith("//") ? next : "/console/"); };
  async function attempt(button, act) {
    say("");
    if (button) button.disabled = true;
    try { await act(); } catch (e) {
      say(e.name === "NotAllowedError" ? "The passkey was not used. Try again." : e.message);
    } finally { if (button) button.disabled = false; }
  }

  // Passkeys, where the browser and the address can have them.
  const begin = { "sign-in": ["/auth/passkey/begin", "/auth/passkey/finish"], "step-up": ["/auth/step-up/passkey/begin", "/auth/step-up/passkey/finish"] };
  const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON;
  for (const b of document.querySelectorAll("[data-auth]")) {
    b.addEventListener("click", () => attempt(b, async () => {
      if (b.dataset.auth === "add") {
        const { publicKey } = await post("/auth/passkeys/begin", {});
        await post("/auth/passkeys/finish", { credential: await credential("create", publicKey), name: "" });
        go(b.dataset.next + "?done=passkey_added");
        return;
      }
      const [first, last] = begin[b.dataset.auth];
      const { publicKey } = await post(first, {});
      const done = await post(last, { credential: await credential("get", publicKey), next: b.dataset.next });
      go(done.next);
    }));
  }
  async function options() {
    const res = await fetch("/auth/options");
    if (!res.ok) return;
    const o = await res.json();
    for (const p of document.querySelectorAll("[data-passkey]")) p.hidden = !(able && o.passkeys);
    const setup = $("[data-setup]");
    if (setup) setup.hidden = !o.setup;
    const list = $("[data-providers]");
    for (const p of (list && o.providers) || []) {
      const a = document.createElement("a");
      a.className = "button wide";
      a.textContent = "Sign in with " + p.name;
      a.href = "/auth/oidc/" + encodeURIComponent(p.id) + "/start?next=" + encodeURIComponent(list.dataset.providers);
      list.append(a);
    }
  }
  if ($("[data-auth]")) options().catch(() => {});

  // One-time links keep their secret behind the #, where no server sees it.
  const enrol = $("[data-enrol]");
  if (!enrol) return;
  const token = location.hash.slice(1), base = "/auth/" + enrol.dataset.enrol, next = enrol.dataset.next;
  history.replaceState(null, "", location.pathname);
  const start = $("[data-step=start]"), totp = $("[data-step=totp]"), done = $("[data-step=done]");
  const fields = () => {
    const out = { token };
    if (enrol.dataset.enrol === "setup") out.email = start.email.value;
    if (enrol.dataset.enrol !== "reset") out.name = start.elements.namedItem("name").value;
    return out;
  };
  const finish = (d) => {
    start.hidden = totp.hidden = true;
    if (!d.recovery_codes) { go(d.next); return; }
    $("[data-codes]").textContent = d.recovery_codes.join("\n");
    $("[data-go]").href = d.next || next;
    done.hidden = false;
  };
  attempt(null, async () => {
    if (!token) throw new Error("This link is not whole: open it again from where you got it.");
    const link = await post(base, { token });
    $("[data-about]").textContent = (link.email ? "For " + link.email + ". " : "") + (link.invited_by ? "Invited by " + link.invited_by + "." : "");
    start.email.value = link.email || "";
    start.email.closest("label").hidden = link.kind !== "setup";
    start.elements.namedItem("name").value = link.name || "";
    start.elements.namedItem("name").closest("label").hidden = link.kind === "reset";
    $("[data-enrol-passkey]").hidden = !able;
    start.hidden = false;
  });
  $("[data-enrol-passkey]").addEventListener("click", (e) => attempt(e.target, async () => {
    const { publicKey } = await post(base + "/passkey/begin", fields());
    finish(await post(base + "/passkey/finish", { token, credential: await credential("create", publicKey), next }));
  }));
  start.addEventListener("submit", (e) => {
    e.preventDefault();
    attempt(e.submitter, async () => {
      const t = await post(base + "/password", { ...fields(), password: start.password.value });
      $("[data-qr]").src = t.qr;
      $("[data-secret]").textContent = t.secret;
      start.hidden = true;
      totp.hidden = false;
    });
  });
  totp.addEventListener("submit", (e) => {
    e.preventDefault();
    attempt(e.submitter, async () => finish(await post(base + "/totp", { token, code: totp.code.value, next })));
  });
})();
