// Pointers that are followed until they are let go. A second finger ends what the first one does: two fingers zoom.

const down = new Map(); // by id: where each pointer is
let cancel = null; // of what is being followed
let onPinch = null;

/** Calls `move(event)` while the pointer of `event` is held, then `end(event)`, or `given()` where it comes to nothing. */
export function follow(element, event, move, end, given = () => {}) {
  element.setPointerCapture(event.pointerId);
  const own = (work) => (later) => later.pointerId === event.pointerId && work(later);
  const moving = own(move);
  const finish = (work) => {
    cancel = null;
    element.removeEventListener("pointermove", moving);
    element.removeEventListener("pointerup", up);
    element.removeEventListener("pointercancel", lost);
    work();
  };
  const up = own((later) => finish(() => end(later)));
  const lost = own(() => finish(given));
  element.addEventListener("pointermove", moving);
  element.addEventListener("pointerup", up);
  element.addEventListener("pointercancel", lost);
  cancel = () => finish(given);
}

const spread = () => {
  const [one, other] = [...down.values()];
  return { x: (one.clientX + other.clientX) / 2, y: (one.clientY + other.clientY) / 2,
    apart: Math.max(1, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY)) };
};

/** Calls `pinched({ x, y, scale, dx, dy })` while two fingers move on `element`. */
export function watch(element, pinched) {
  element.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch") return;
    down.set(event.pointerId, event);
    if (down.size === 2) {
      cancel?.();
      onPinch = spread();
    }
    if (down.size > 1) event.stopImmediatePropagation();
  }, true);
  addEventListener("pointermove", (event) => {
    if (!down.has(event.pointerId)) return;
    down.set(event.pointerId, event);
    if (down.size !== 2 || !onPinch) return;
    const now = spread();
    pinched({ x: now.x, y: now.y, scale: now.apart / onPinch.apart, dx: now.x - onPinch.x, dy: now.y - onPinch.y });
    onPinch = now;
  });
  for (const name of ["pointerup", "pointercancel"]) {
    addEventListener(name, (event) => {
      down.delete(event.pointerId);
      onPinch = null;
    });
  }
}
