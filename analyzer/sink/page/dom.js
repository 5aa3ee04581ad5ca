/*
 * dom: elements.  Text goes into the page as text (textContent) only; markup is lastack's own, which
 * has escaped there what is not.
 */
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, text) {
  for (const key in attributes) element.setAttribute(key, attributes[key]);
  if (text !== undefined && text !== null) element.textContent = text;
  return element;
}

function make(name, attributes, text) {
  return fill(document.createElement(name), attributes, text);
}

function draw(name, attributes, text) {
  return fill(document.createElementNS(SVG, name), attributes, text);
}

/* Of what is parsed so no script runs. */
function putMarkup(place, markup) {
  place.replaceChildren(...new DOMParser().parseFromString(markup, "text/html").body.childNodes);
  return place;
}

/* Where they stand there already nothing moves; what has the focus keeps it. */
function putChildren(place, children) {
  const there = place.childNodes;
  if (there.length === children.length && children.every((child, i) => child === there[i])) return;
  const focused = document.activeElement;
  place.replaceChildren(...children);
  if (focused !== document.activeElement && place.contains(focused)) focused.focus({preventScroll: true});
}

/* A picture in a box that scrolls when it is wider than the page; label is what is read aloud. */
function pictureOf(svg, label) {
  const box = make("div", {"class": "picture", tabindex: "0", role: "group", "aria-label": label});
  box.append(svg);
  return box;
}

/* Without a clipboard, a click on the text itself selects all of it. */
function addCopy(code) {
  if (!navigator.clipboard) return;
  const button = make("button", {type: "button", "class": "copy"}, "Copy");
  button.addEventListener("click", function () {
    navigator.clipboard.writeText(code.textContent).then(
      function () { button.textContent = "Copied"; },
      function () { button.textContent = "Not allowed"; });
  });
  code.after(" ", button);
}

/* The value of a colour of the style, as it is now. */
function colourOf(name) {
  return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
}
