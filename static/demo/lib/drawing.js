// When to draw what was seen. The hidden iframe of a renewal and the page around it share one thread, so each drawing
// during a renewal makes this renewal slower. It is usually over before a person could see a change.

export const pause = 300; // milliseconds that a renewal may take before its drawing begins

/**
 * Gives a function that asks for a drawing: for one drawing, however often it is asked before.
 *
 * @param {() => void} draw
 * @returns {(underWay: boolean) => void} underWay: a renewal has begun and not ended
 */
export function drawingOf(draw) {
  let timer = 0;
  return (underWay) => {
    if (underWay && timer) return;
    clearTimeout(timer);
    const drawNow = () => {
      timer = 0;
      draw();
    };
    timer = window.setTimeout(drawNow, underWay ? pause : 0);
  };
}
