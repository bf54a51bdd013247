/**
 * Calls `act` when the element's size has changed, at the next frame: what it draws changes sizes in turn, and within the same
 * frame Firefox reports that as an error ("ResizeObserver loop").
 */
export function onResize(element: Element, act: () => void): void {
  let asked = 0;
  new ResizeObserver(() => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(act);
  }).observe(element);
}
