// What Material for MkDocs leaves out for who reads by keyboard or by ear.
document.querySelector(".md-search[role=dialog]")?.setAttribute("aria-label", "Search");

// A table or formula that is wider than the page scrolls by the arrow keys too. The theme wraps tables
// when the page is there.
const wide = ".md-typeset__scrollwrap, div.arithmatex";
const reach = () => document.querySelectorAll(wide).forEach((part) => (part.tabIndex = 0));
new MutationObserver(reach).observe(document.querySelector(".md-content") ?? document.body, {
  childList: true,
  subtree: true,
});
reach();
