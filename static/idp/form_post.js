// OAuth 2.0 Form Post Response Mode §2: the answer is posted to the client without a click.
// The prototype's submit is called because a parameter named "submit" would hide the form's own.
const form = document.getElementById("form-post");
if (form instanceof HTMLFormElement) HTMLFormElement.prototype.submit.call(form);
