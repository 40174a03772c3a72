// Saying why a renewal cannot succeed before its timer runs out. When the hidden iframe is stuck on a page, the library
// waits ten seconds for an answer that will not come. The provider knows why at once, and says it in two ways: its page
// posts the reason to the page around it, if it may be framed; and its trace has it in any case.

/**
 * @typedef {import("./problem.js").Problem} Problem
 * @typedef {import("./timeline.js").Reasoned} Reasoned
 */

export class Verdict {
  #say;
  #stuck = false;
  /** @type {Problem | undefined} */
  #problem;
  #said = false;

  /** @param {(problem: Problem) => void} say */
  constructor(say) {
    this.#say = say;
  }

  /** A renewal begins: nothing is known. */
  begin() {
    this.#stuck = false;
    this.#problem = undefined;
    this.#said = false;
  }

  /** The iframe is stuck on a page of another origin. */
  stuck() {
    this.#stuck = true;
    this.#decide();
  }

  /** That page says what is wrong. @param {Problem} problem */
  page(problem) {
    this.#problem = problem;
    this.stuck();
  }

  /**
   * The trace has a reason. It matters only when the iframe is stuck: an answer says more. A warning stops no iframe.
   *
   * @param {Reasoned} reason
   */
  blamed({ code: reason, text: description, warning }) {
    if (warning) return;
    this.#problem ??= { code: "page_in_iframe", reason, description };
    this.#decide();
  }

  #decide() {
    if (!this.#stuck || !this.#problem || this.#said) return;
    this.#said = true;
    this.#say(this.#problem);
  }

  /** Was what the timer brings said before, and better? @param {Problem} problem */
  covers(problem) {
    return this.#said && problem.code === "timeout";
  }
}
