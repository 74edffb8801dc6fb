// What hostile text may have become: the elements and attributes that our Markdown makes, and those of the page's own
// templates. Everything else is a trouble. Works on the open page and on HTML that was fetched and parsed.

/// Runs in the browser. @returns descriptions of nodes that must not be there.
function unwanted(root) {
  const kAuto = /^auto$/;
  const kProse = {
    p: { dir: kAuto }, em: {}, strong: {}, del: {}, blockquote: {}, ul: { dir: kAuto }, hr: {}, header: {}, table: {}, thead: {}, tbody: {}, tr: {}, br: {},
    code: { class: /^(language-[\w+#.-]+|math|math display)$/ },
    a: { href: /^(https?:\/\/|mailto:)[^"'<>\s]+$|^(https?:\/\/|mailto:)[^"<>\s]+$/i, rel: /^noopener noreferrer nofollow$/ },
    ol: { dir: kAuto, start: /^\d{1,9}$/ }, li: { class: /^task$/ },
    // What script makes of code and formulas.
    span: { role: /^(img|group)$/, "aria-label": /^(To do|Done|Formula)$/, tabindex: /^0$/, "data-tex": /^\$/,
      class: /^(hljs-[\w-]+( [\w-]+_)*|language-[a-z]+|math|math display)$/ },
    h3: { dir: kAuto, class: /^level-[1-6]$/ },
    div: { class: /^(code|table)$/, role: /^group$/, "aria-label": /^Table$/, tabindex: /^0$/ },
    button: { class: /^quiet copy$/, type: /^button$/, hidden: /^$/, "data-copy": /^code$/ },
    pre: { role: /^group$/, tabindex: /^0$/, "aria-label": /^(Code|Code, [\w+#.-]+|Text)$/, class: /^plain$/ },
    th: { scope: /^col$/, class: /^(left|center|right)$/ }, td: { class: /^(left|center|right)$/ },
  };
  const kMath = /^(math|m[a-z]+|none)$/;
  const kMathAttributes = /^(mathvariant|displaystyle|scriptlevel|stretchy|symmetric|fence|separator|form|[lr]space|(min|max)size|accent(under)?|linethickness|width|height|depth|voffset|largeop|movablelimits|display|dir)$/;
  const kFrame = /^(article|header|h1|h2|table|thead|tbody|tr|th|td|caption|tfoot|template|fieldset|legend|progress|noscript|div|details|summary|svg|use|span|p|strong|form|button|input|a|dl|dt|dd|section|pre|ol|ul|li|b|mark|path|rect|nav|label|textarea|select|option|time)$/;
  const kTextOnly = ".said, .body:not(dl), dl.body dd, .asking pre, h1, #title, .chats a:not(.hits a), .hit-title, .hit-text, .withdraw + *";
  const found = [];
  const say = (node, why) => found.push(`${why}: ${node.cloneNode(false).outerHTML.slice(0, 200)}`);
  const in_prose = (node) => node.parentElement.closest(".prose") && !/^(done|tail)-/.test(node.id) && node.parentElement.closest(".prose") !== null;
  for (const node of root.querySelectorAll("*")) {
    const name = node.localName;
    const wrapper = node.parentElement?.matches(".prose") && name === "div" && !node.className && !node.hasAttribute("role");
    for (const attribute of node.attributes) {
      if (/^(on|style$|src|action$|xlink)/.test(attribute.name) && !(name === "form" && /^\/(?!\/)[\w/-]*$/.test(attribute.value))) {
        say(node, `attribute ${attribute.name}`);
      }
    }
    if (node.parentElement && in_prose(node) && !wrapper && !node.matches(".tail")) {
      const drawn = node.namespaceURI.endsWith("MathML") && kMath.test(name) && !/^m(action|glyph)$/.test(name);
      const rules = drawn ? {} : kProse[name];
      if (!rules) say(node, "element in an answer");
      for (const attribute of rules ? node.attributes : []) {
        const math = drawn && (attribute.name === "class" ? /^[\w -]+$/ : kMathAttributes.test(attribute.name) && /^[\w.%+-]+$/);
        if (!(math || rules[attribute.name])?.test(attribute.value)) say(node, `attribute ${attribute.name} in an answer`);
      }
    } else if (!kFrame.test(name)) {
      say(node, "element");
    }
    if (node.matches(kTextOnly)) {
      const inside = Array.from(node.querySelectorAll("*")).find((child) => !child.matches("mark"));
      if (inside) say(inside, "element in plain text");
    }
  }
  return Array.from(new Set(found));
}

/// Makes globalThis.unwanted() and globalThis.unwanted_in_html(text, selector) there in every page of the context.
export async function watch(context) {
  await context.addInitScript(`globalThis.unwanted = ${unwanted};
    globalThis.unwanted_in_html = (html, selector) => Array.from(new DOMParser().parseFromString(html, "text/html")
      .querySelectorAll(selector)).flatMap((part) => globalThis.unwanted(part));`);
}
