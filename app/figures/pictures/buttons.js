// The buttons PNG, SVG and PDF in a figure's menu. They look like Streamlit's, and ask nothing of the server.

const KINDS = ["PNG", "SVG", "PDF"];
const LOOK = `
  div {display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; font-family: var(--st-font), sans-serif}
  button {
    display: inline-flex; align-items: center; gap: .5rem; min-height: 2.5rem; padding: .25rem .75rem; line-height: 1.6;
    font: inherit; font-size: .875rem; color: var(--st-text-color); background: var(--st-background-color); cursor: pointer;
    border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius, .5rem)}
  button:hover, button:focus-visible {color: var(--st-primary-color); border-color: var(--st-primary-color)}
  button:focus-visible {outline: 2px solid var(--st-primary-color); outline-offset: 1px}
  button[aria-busy="true"] {cursor: progress; border-style: dashed}
  span {font: 1.125rem "Material Symbols Rounded"; font-feature-settings: "liga"}
  p {margin: 0; color: var(--st-text-color); flex-basis: 100%}
  p:empty {display: none}`;

// Puts the buttons into the component's place; `data` has the figure's key, its colours and what is said of it.
export function show({ parentElement, data }, pictures) {
  const style = document.createElement("style");
  style.textContent = LOOK;
  const row = document.createElement("div");
  const said = document.createElement("p");
  said.setAttribute("role", "status");
  for (const kind of KINDS) row.append(button(kind, data, said, pictures));
  row.append(said);
  parentElement.replaceChildren(style, row);
}

function button(kind, data, said, pictures) {
  const made = document.createElement("button");
  made.type = "button";
  const icon = document.createElement("span");
  icon.setAttribute("aria-hidden", "true");
  icon.textContent = "download";
  made.append(icon, kind);
  made.onclick = async () => {
    if (made.getAttribute("aria-busy") === "true") return;
    made.setAttribute("aria-busy", "true");
    said.textContent = "";
    try {
      const { make } = await import(pictures);
      save(await make(kind.toLowerCase(), data), `${data.key}.${kind.toLowerCase()}`);
    } catch (fault) {
      console.warn(fault);
      said.textContent =
        `No ${kind} could be made of this figure (${fault.message}). Reload the page and try again, or take HTML.`;
    } finally {
      made.removeAttribute("aria-busy");
    }
  };
  return made;
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
