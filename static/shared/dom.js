// A few helpers, so that the other files can speak of the page in few words.

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

/** @typedef {string | Node | false | null | undefined} Child what is neither text nor node is left out */

/**
 * A new element with words in it. Text is always set as text, never as HTML: what a client or a browser sends is
 * shown, not run.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {string} [className]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(name, className = "", ...children) {
  const element = document.createElement(name);
  if (className) element.className = className;
  for (const child of children) if (child || child === "") element.append(child);
  return element;
}

/**
 * A link that opens beside the page.
 *
 * @param {string} href
 * @param {...Child} words
 */
export function link(href, ...words) {
  const a = make("a", "", ...words);
  a.href = href;
  a.target = "_blank";
  a.rel = "noopener";
  return a;
}

/**
 * Puts the children in order: what is not among them goes, and only what is elsewhere moves, so that the others keep the
 * keyboard and stay opened.
 *
 * @param {HTMLElement} list
 * @param {HTMLElement[]} items
 */
export function settle(list, items) {
  const keep = new Set(items);
  for (const item of [...list.children]) if (!keep.has(/** @type {HTMLElement} */ (item))) item.remove();
  items.forEach((item, i) => {
    if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
  });
}
