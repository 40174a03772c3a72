new MutationObserver((records) => {
  for (const node of records.flatMap(({ addedNodes }) => [...addedNodes])) {
    if (node.nodeName === "IFRAME") node.allow = "identity-credentials-get http://localhost:8080";
  }
}).observe(document.body, { childList: true });
