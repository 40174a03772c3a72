// How long the access token still lives, counted down in front of you.

/**
 * @param {HTMLElement} output shows minutes and seconds
 * @param {HTMLProgressElement} bar empties as the time passes
 */
export function createCountdown(output, bar) {
  let end = 0; // milliseconds since 1970; 0: there is no token
  setInterval(show, 500);

  function show() {
    const left = Math.ceil((end - Date.now()) / 1000);
    bar.value = end === 0 ? 0 : Math.max(0, left);
    const text = words(end, left);
    if (output.textContent !== text) output.textContent = text; // each change makes the browser lay out the page again
  }

  return {
    /**
     * @param {number | undefined} expiresAt seconds since 1970, as in the claim exp
     * @param {number} lifetime seconds from issue to expiry: the length of the full bar
     */
    set(expiresAt, lifetime = 0) {
      end = (expiresAt ?? 0) * 1000;
      bar.max = Math.max(1, lifetime);
      show();
    },
  };
}

/**
 * @param {number} end
 * @param {number} left seconds
 */
function words(end, left) {
  if (end === 0) return "–";
  if (left <= 0) return "expired";
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}
