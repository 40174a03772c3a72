// The apps' iframes are loading, in which they sign out their part (Front-Channel Logout §3). A window's load comes after that of its
// iframes: then this page goes on, or when one of them takes too long.
const longest = 5000; // milliseconds
const next = document.getElementById("return-to");
const goOn = () => {
  if (next instanceof HTMLAnchorElement) location.replace(next.href);
};
if (document.readyState === "complete") goOn();
else {
  window.addEventListener("load", goOn, { once: true });
  setTimeout(goOn, longest);
}
