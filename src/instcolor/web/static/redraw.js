// Draws parts of the page anew without taking the keyboard's place from it.

/** Replaces what is in `container`; where the focus was inside, it goes to what stands in the same place now. */
export function redraw(container, children) {
  const reachable = () => [...container.querySelectorAll("button, input, [tabindex]")];
  const place = reachable().indexOf(document.activeElement);
  container.replaceChildren(...children);
  if (place >= 0) reachable()[place]?.focus({ preventScroll: true });
}
