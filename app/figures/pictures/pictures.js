// A figure as it stands on the page, zoomed and coloured as the visitor left it, as PNG, SVG or PDF.
//
// plotly.js draws it anew beside the page, without its buttons, on the theme's paper, and as SVG throughout: what WebGL
// draws would be a picture within the file. PDF is made of that SVG, with its texts as texts.

import { pdf } from "./pdf.js";
import { attached, fetched, loaded, raster } from "./drawing.js";
import { FONTS } from "./fonts.js";

const SCALE = 3; // pixels of a PNG for each of the screen's
const MOST_SIDE = 16000; // browsers draw no larger canvas
const MOST_PIXELS = 2 ** 27;

// Makes a Blob of the kind "png", "svg" or "pdf".
export async function make(kind, data) {
  const drawn = onPage(data.key);
  await loaded(data.plotly, () => window.Plotly);
  const { width, height } = drawn.getBoundingClientRect();
  const size = { width: Math.round(width), height: Math.round(height) };
  const found = await window.Plotly.toImage(alone(drawn, data), {
    format: "svg",
    imageDataOnly: true,
    ...size,
  });
  const svg = new DOMParser().parseFromString(found, "image/svg+xml").documentElement;
  describe(svg, data);
  if (kind === "pdf") return attached(svg, () => pdf(svg, size, data));
  if (kind === "png") {
    const scale = Math.min(
      SCALE,
      MOST_SIDE / Math.max(size.width, size.height),
      Math.sqrt(MOST_PIXELS / (size.width * size.height)),
    );
    return raster(svg, size, scale, await fontFaces(svg));
  }
  const text = new XMLSerializer().serializeToString(svg);
  return new Blob(['<?xml version="1.0" encoding="UTF-8"?>\n', text], { type: "image/svg+xml" });
}

// The figure's element: plotly.js keeps in it what it drew.
function onPage(key) {
  const name = `st-key-figure-${key}`.replace(/[^a-zA-Z0-9_-]/g, "-");
  const drawn = document.querySelector(`.${CSS.escape(name)} .js-plotly-plot`);
  if (!drawn) throw new Error("it is not drawn on this page");
  return drawn;
}

// Its traces and its layout, without what only a page can use.
function alone(drawn, data) {
  const { updatemenus, sliders, ...layout } = drawn.layout;
  const traces = drawn.data.filter((trace) => trace.visible !== false);
  return {
    data: traces.map((trace) => ({ ...trace, type: trace.type.replace(/gl$/, "") })),
    layout: { ...layout, paper_bgcolor: data.paper, autosize: false },
    config: { staticPlot: true },
  };
}

// What the figure says, for those who do not see it, and where its numbers come from.
function describe(svg, data) {
  for (const [name, text] of [["desc", data.source], ["title", data.alt]]) {
    const element = document.createElementNS(svg.namespaceURI, name);
    element.textContent = text;
    svg.prepend(element);
  }
  svg.setAttribute("role", "img");
}

// Fonts for an SVG that is drawn as a picture, which may use none of the page's.
async function fontFaces(svg) {
  const faces = FONTS.map(async ({ file, weight }) => {
    const font = await fetched(file);
    return `@font-face {font-family: "Source Sans"; font-weight: ${weight}; src: url(data:font/ttf;base64,${font})}`;
  });
  const style = document.createElementNS(svg.namespaceURI, "style");
  style.textContent = (await Promise.all(faces)).join("\n");
  return style;
}
