// Copy buttons: shown only where script can copy.
"use strict";
(() => {
  if (!navigator.clipboard) return;
  for (const b of document.querySelectorAll("[data-copy]")) {
    const from = document.querySelector(b.dataset.copy), said = b.parentElement.querySelector("[data-copied]");
    b.hidden = false;
    b.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(from.textContent);
        if (said) said.textContent = "Copied.";
      } catch { if (said) said.textContent = "The browser did not copy it: select the text."; }
    });
  }
})();
