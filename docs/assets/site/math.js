// Renders the formulas that pymdownx.arithmatex marks, by the KaTeX that the site ships. A page
// without formulas does not load it.
(() => {
  const katexFolder = new URL("../katex/", document.currentScript.src);

  function render() {
    for (const element of document.querySelectorAll(".arithmatex")) {
      const display = element.tagName === "DIV";
      const formula = element.textContent.trim().slice(2, -2); // between \( and \), or \[ and \]
      katex.render(formula, element, { displayMode: display });
    }
  }

  if (document.querySelector(".arithmatex")) {
    const style = document.createElement("link");
    style.rel = "stylesheet";
    style.href = new URL("katex.min.css", katexFolder);
    const script = document.createElement("script");
    script.src = new URL("katex.min.js", katexFolder);
    script.onload = render;
    document.head.append(style, script);
  }
})();
