// Formulas as MathML: Temml (MIT licence; © Ron Kok, Khan Academy and contributors) stands above this in the same module.
// Of the tree that it makes, elements are made one by one, and only of what is known: no address, no style, no foreign class.
const kMostDeep = 40;
const kMostNodes = 4000;
const kMostEm = 20;
const kElements = new Set(("math mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle mpadded mphantom msub msup msubsup munder mover " +
  "munderover mmultiscripts mprescripts none mtable mtr mtd menclose").split(" "));
const kAttributes = new Set(("mathvariant displaystyle scriptlevel stretchy symmetric fence separator form lspace rspace minsize maxsize " +
  "accent accentunder linethickness width height depth voffset largeop movablelimits display dir").split(" "));
const kClasses = /^(tml-(left|right|prime|sml-pad|med-pad|lrg-pad|overline|underline|cancel|xcancel|vec)|upstrike|downstrike|sout|mathcal|mathscr)$/;

/// Nothing so deep that drawing it would hold the page up.
function is_flat(tex) {
  let depth = 0;
  for (const [word] of tex.matchAll(/\\(?:begin|left|end|right)(?![a-zA-Z])|\\[^]|[{}^_]/g)) {
    if (word === "{" || word === "\\begin" || word === "\\left") ++depth;
    else if (word === "}" || word === "\\end" || word === "\\right") --depth;
    if (depth > kMostDeep) return false;
  }
  return !/[\^_]{2}|([\^_]\s*[a-zA-Z0-9]\s*){40}/.test(tex);
}

const is_harmless = (value) => /^[\w.%+-]{1,24}$/.test(value) && !(Math.abs(parseFloat(value)) > kMostEm && !value.endsWith("%"));

/// The few looks that Temml gives by style, as classes of ours.
function classes_of({ classes = [], style = {} }) {
  const names = classes.filter((name) => kClasses.test(name));
  if (style.border) names.push("boxed");
  for (const side of ["Top", "Bottom", "Left", "Right"]) {
    if (style[`border${side}`]) names.push(`line-${side.toLowerCase()}`);
    const padding = parseFloat(style[`padding${side}`]);
    if (!(padding >= 0) || side === "Top" || side === "Bottom") continue;
    names.push(`pad-${side.toLowerCase()}-${padding === 0 ? "none" : padding >= 0.9 ? "wide" : "some"}`);
  }
  if (style.textAlign === "left") names.push("tml-left");
  if (style.fontWeight === "bold") names.push("strong");
  return names;
}

/// @param from  A node of Temml's own kind.
function made(from, count) {
  if (++count.nodes > kMostNodes) throw new RangeError("too large");
  if (typeof from.text === "string") return document.createTextNode(from.text);
  const known = kElements.has(from.type);
  const to = document.createElementNS("http://www.w3.org/1998/Math/MathML", known ? from.type : "mrow");
  for (const [name, value] of Object.entries(known ? from.attributes : {})) {
    if (kAttributes.has(name) && is_harmless(String(value))) to.setAttribute(name, value);
  }
  const names = classes_of(from);
  if (names.length > 0) to.setAttribute("class", names.join(" "));
  for (const child of from.children || []) to.append(made(child, count));
  return to;
}

function drawn(tex, display) {
  const tree = temml.__renderToMathMLTree(tex, { displayMode: display, throwOnError: true, trust: false, maxSize: [10, 200], maxExpand: 200,
    macros: {} });
  return made(tree, { nodes: 0 });
}

/// It scrolls inside itself: the keyboard reaches it.
function make_reachable(place) {
  place.tabIndex = 0;
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", say("Formula"));
}

export function draw(node) {
  const tex = node.textContent;
  const display = node.classList.contains("display");
  if (!is_flat(tex)) return;
  try {
    const math = drawn(tex, display);
    const place = document.createElement("span");
    place.className = node.className;
    place.dataset.tex = display ? `$$${tex}$$` : `$${tex}$`;
    place.append(math);
    node.replaceWith(place);
    const long = tex.length > 20;  // a short one fits everywhere, and need not be measured
    if (display || (long && place.scrollWidth > place.clientWidth)) make_reachable(place);
  } catch { /* it can't be drawn: its source stays */ }
}

// What is copied of a formula is its source.
document.addEventListener("copy", (event) => {
  const selection = getSelection();
  if (selection.rangeCount === 0) return;
  const part = selection.getRangeAt(0).cloneContents();
  const formulas = part.querySelectorAll("[data-tex]");
  if (formulas.length === 0) return;
  for (const formula of formulas) formula.replaceWith(formula.dataset.tex);
  const holder = document.createElement("div");
  holder.className = "visually-hidden copied";
  holder.append(part);
  document.body.append(holder);
  event.clipboardData.setData("text/plain", holder.innerText);
  holder.remove();
  event.preventDefault();
});
