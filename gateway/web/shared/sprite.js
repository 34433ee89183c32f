// @ts-check
/** The symbols, brought into the page once: a symbol first needed when the server is silent must be there already. */

/** Put /shared/symbols.svg at the top of the body; after this `<use href="#s-executing"/>` works. */
export async function bringSymbols() {
  const reply = await fetch("/shared/symbols.svg");
  if (!reply.ok) throw new Error(`symbols: ${reply.status}`);
  const sprite = new DOMParser().parseFromString(await reply.text(), "image/svg+xml").documentElement;
  sprite.setAttribute("width", "0");
  sprite.setAttribute("height", "0");
  sprite.setAttribute("aria-hidden", "true");
  sprite.style.position = "absolute";
  document.body.prepend(document.importNode(sprite, true));
}
