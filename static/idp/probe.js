// Tells the page around this one which cookies came with the request for this one. Only that origin hears it.
const probe = document.getElementById("probe");
const { origin = "", report = "{}" } = probe?.dataset ?? {};
if (parent !== window) parent.postMessage(JSON.parse(report), origin);
