// What htmx leaves to the page: where the focus goes when a part has changed, and what happens when
// the answer is not that part.
"use strict";

const messages = document.getElementById("messages");
let section = null;

document.addEventListener("htmx:beforeRequest", (event) => {
  section = event.detail.elt.closest("section");
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = event;
  const answer = detail.serverResponse;
  if (answer.includes(`id="${detail.target.id}"`)) return;
  detail.shouldSwap = false;
  if (detail.xhr.status === 403 && !answer.includes("<html")) {
    // Refused, with the reason; the page stays as it is.
    detail.isError = false;
    messages.innerHTML = answer;
    show();
  } else if (detail.xhr.status < 500) {
    // Another page: logged out, or locked, meanwhile.
    detail.isError = false;
    location.reload();
  }
});

document.addEventListener("htmx:afterSettle", (event) => {
  const part = document.getElementById(event.detail.elt.id);
  if (!part || part === messages) return;
  show();
  const wrong = part.querySelector("[aria-invalid=true]");
  if (wrong) {
    wrong.focus();
  } else if (document.activeElement === document.body && section) {
    const next = section.dataset.focus || section.getAttribute("aria-labelledby");
    document.getElementById(next)?.focus({ preventScroll: true });
  }
});

for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, () => {
    const line = document.createElement("p");
    line.className = "message message-error";
    line.textContent = messages.dataset.failed;
    messages.replaceChildren(line);
    show();
  });
}

// In sight, wherever on the page somebody is.
function show() {
  messages.classList.toggle("messages-new", messages.childElementCount > 0);
}
