// Approving with a passkey: it signs the digest that this page shows.
"use strict";
(() => {
  const form = document.querySelector("form[data-sign]");
  if (!form) return;
  const error = form.querySelector("[data-error]"), button = form.querySelector("button");
  const say = (text) => { error.textContent = text; error.hidden = !text; };
  form.addEventListener("submit", async (e) => {
    if (form.assertion.value) return;
    e.preventDefault();
    say("");
    button.disabled = true;
    try {
      if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) throw new Error("This browser cannot sign with a passkey here.");
      const res = await fetch(form.dataset.sign, { method: "POST" });
      const out = await res.json().catch(() => ({}));
      if (!res.ok) throw new Error([out.detail || "That did not work.", out.hint].filter(Boolean).join(" "));
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(out.options.publicKey ?? out.options);
      const answer = await navigator.credentials.get({ publicKey });
      form.assertion.value = JSON.stringify(answer.toJSON());
      form.submit();
    } catch (err) {
      say(err.name === "NotAllowedError" ? "The passkey was not used. Try again." : err.message);
    } finally { button.disabled = false; }
  });
})();
