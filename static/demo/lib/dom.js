// Two helpers, so that the other files can speak of the page in few words.

/**
 * The element with this id; a page without it is a mistake of ours, so it throws.
 *
 * @template {Element} T
 * @overload
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
/**
 * @overload
 * @param {string} id
 * @returns {HTMLElement}
 */
/**
 * @param {string} id
 * @param {new () => Element} [type]
 */
export function byId(id, type = HTMLElement) {
  const element = document.getElementById(id);
  if (!(element instanceof type)) throw new Error(`this page has no #${id}`);
  return element;
}

/**
 * A new element with words in it. Text is always set as text, never as HTML: what a provider or an API
 * answers is shown, not run.
 *
 * @param {string} name
 * @param {string} [className]
 * @param {...(string | Node)} children
 */
export function make(name, className = "", ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.append(...children);
  return element;
}
