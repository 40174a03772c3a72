// The parameters of one request as fields. A checked one is sent: also twice, also empty.

import { specLink } from "../../shared/diagram-spec.js";
import { make } from "../../shared/dom.js";
import { button } from "./ui.js";

/** @typedef {{ name: string, help: string, spec: string, values?: string[] }} Parameter */

/** A name and a value that are sent. @typedef {[string, string]} Pair */

let count = 0; // of fields, for their ids

export class Fields {
  /** @type {HTMLElement} the fields of the parameters that a good client sends */
  #usual = make("ul", "bare try-fields");
  /** @type {HTMLElement} the other fields */
  #others = make("ul", "bare try-fields");

  /** @param {Parameter[]} parameters @param {Map<string, string>} values @param {() => void} changed */
  constructor(parameters, values, changed) {
    for (const parameter of parameters) {
      const value = values.get(parameter.name);
      const list = value === undefined ? this.#others : this.#usual;
      list.append(field(parameter, value, changed));
    }
    this.#others.append(unknownField(changed));
    const more = make("summary", "", `${this.#others.children.length} other parameters`);
    this.element = make("div", "stack tight", this.#usual, make("details", "", more, this.#others));
    this.element.addEventListener("input", changed);
  }

  /** The parameters that are sent, in the order of the fields. @returns {Pair[]} */
  get pairs() {
    return this.#items.filter(({ check }) => check.checked).map(({ name, input }) => [name(), input.value]);
  }

  /** Fills in a field that is sent. A value in a field that is not sent stays. @param {string} name @param {string} value */
  fill(name, value) {
    const item = this.#items.find((one) => one.name() === name && one.check.checked);
    if (item) item.input.value = value;
  }

  get #items() {
    return [...this.element.querySelectorAll("li")].map((item) => ({
      name: () => item.dataset.name ?? inputIn(item, ".name").value,
      check: inputIn(item, "[type=checkbox]"),
      input: inputIn(item, ".value"),
    }));
  }
}

/** @param {Element} item @param {string} which */
function inputIn(item, which) {
  return /** @type {HTMLInputElement} */ (item.querySelector(`input${which}`));
}

/** @param {Parameter} parameter @param {string | undefined} value undefined: it is not sent @param {() => void} changed */
function field(parameter, value, changed) {
  const item = make("li", "", ...line(parameter, value, changed));
  item.append(make("p", "hint", `${parameter.help} `, specLink(parameter.spec)));
  item.dataset.name = parameter.name;
  return item;
}

/** The field itself, and the button that adds another of the same name. @param {Parameter} parameter @param {string | undefined} value @param {() => void} changed */
function line(parameter, value, changed) {
  const { name, values = [] } = parameter;
  const typed = textField("value", name, value ?? "");
  const check = checkbox(name, value !== undefined, typed);
  const label = make("label", "mono", name);
  label.htmlFor = typed.id;
  const repeat = button("Repeat", () => {
    const again = make("li", "", ...line(parameter, typed.value, changed));
    again.dataset.name = name;
    typed.closest("li")?.after(again);
    changed();
    return Promise.resolve();
  });
  repeat.append(make("span", "visually-hidden", ` ${name}`));
  const head = make("div", "row spread", make("span", "row", check, label), repeat);
  return [head, typed, choices(typed, values)];
}

/** The values that the provider knows, which the browser offers while one types. @param {HTMLInputElement} typed @param {string[]} values */
function choices(typed, values) {
  if (values.length === 0) return null;
  const list = make("datalist");
  list.id = `${typed.id}-known`;
  for (const value of values) list.append(Object.assign(make("option"), { value }));
  typed.setAttribute("list", list.id);
  return list;
}

/** A parameter that the provider does not know. @param {() => void} changed */
function unknownField(changed) {
  const name = textField("name", "Name of another parameter", "");
  const value = textField("value", "Its value", "");
  name.placeholder = "another_parameter";
  const check = checkbox("the other parameter", false, value);
  const item = make("li", "", make("div", "row nowrap", check, name), value);
  item.append(make("p", "hint", "The provider ignores parameters that it does not know."));
  item.addEventListener("input", changed);
  return item;
}

/** @param {string} className @param {string} label @param {string} value */
function textField(className, label, value) {
  const typed = make("input", className);
  typed.id = `try-field-${++count}`;
  typed.ariaLabel = label;
  typed.value = value;
  typed.spellcheck = false;
  typed.autocomplete = "off";
  return typed;
}

/** Whether the parameter is sent. A value that the developer types is sent. @param {string} name @param {boolean} checked @param {HTMLInputElement} typed */
function checkbox(name, checked, typed) {
  const check = make("input");
  check.type = "checkbox";
  check.checked = checked;
  check.ariaLabel = `Send ${name}`;
  typed.addEventListener("input", () => {
    check.checked = true;
  });
  return check;
}
