// Colours in code: highlight.js and its languages stand above this in the same module. Only classes are set.
const kMostCharacters = 20000;  // more would hold the page up

export function draw(node) {
  const language = node.className.replace("language-", "").toLowerCase();
  const text = node.textContent;
  if (text.length > kMostCharacters || !hljs.getLanguage(language)) return;
  const painted = document.createElement("code");
  painted.innerHTML = hljs.highlight(text, { language, ignoreIllegals: true }).value;
  const odd = Array.from(painted.querySelectorAll("*")).some((part) => part.localName !== "span" || part.attributes.length !== 1 || !part.className);
  if (!odd && painted.textContent === text) node.replaceChildren(...painted.childNodes);
}
