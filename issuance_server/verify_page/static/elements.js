// Makes elements. Texts are set as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  check: ["M20 12a8 8 0 1 1-16 0 8 8 0 0 1 16 0Z", "m8.5 12.2 2.4 2.4 4.6-5"],
  clock: ["M20 12a8 8 0 1 1-16 0 8 8 0 0 1 16 0Z", "M12 7.5V12l3 2"],
  question: ["M20 12a8 8 0 1 1-16 0 8 8 0 0 1 16 0Z", "M9.8 9.7a2.2 2.2 0 1 1 3 2.1c-.6.3-.8.7-.8 1.4", "M12 15.9v.1"],
  flask: ["M9.5 4h5", "M10.5 4v5.5L5.7 18a1.3 1.3 0 0 0 1.2 2h10.2a1.3 1.3 0 0 0 1.2-2l-4.8-8.5V4", "M8.2 15h7.6"],
  stop: ["M20 12a8 8 0 1 1-16 0 8 8 0 0 1 16 0Z", "M6.5 6.5l11 11"],
  cross: ["M8.6 4h6.8L20 8.6v6.8L15.4 20H8.6L4 15.4V8.6Z", "M9 9l6 6m0-6-6 6"],
  warning: ["M12 4 21 19.5H3Z", "M12 10v4", "M12 16.7v.1"],
};

/** Return an element. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Return a picture that screen readers pass over: the words beside it say the same. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  for (const line of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

export function byId(id) {
  return document.getElementById(id);
}
