// An SVG of plotly.js as one page of PDF: lines are lines, and texts are texts in the font of the lab's pages.

import { dataUrl, fetched, loaded, raster } from "./drawing.js";
import { FONTS } from "./fonts.js";

const POINTS = 0.75; // of a pixel
const SCALE = 4; // pixels of a text that must be a picture, for each of the screen's
const NAME = "SourceSans3";

// Makes a Blob. The SVG must stand in the page.
export async function pdf(svg, { width, height }, data) {
  await loaded("jspdf-4.2.1/jspdf.umd.min.js", () => window.jspdf);
  await loaded("svg2pdf-2.8.1/svg2pdf.umd.min.js", () => window.svg2pdf);
  const file = new window.jspdf.jsPDF({
    unit: "pt",
    format: [width * POINTS, height * POINTS],
    orientation: width > height ? "landscape" : "portrait",
    compress: true,
    putOnlyUsedFonts: true,
  });
  file.setProperties({ title: data.alt, subject: data.source, creator: "Adapter Lab" });
  for (const font of FONTS) {
    const name = font.file.split("/").pop();
    const content = await fetched(font.file);
    file.addFileToVFS(name, content);
    file.addFont(name, NAME, font.style);
    await measurable(content, font.weight);
  }
  file.setFont(NAME, "normal");
  const known = file.getFont().metadata;
  for (const text of svg.querySelectorAll("text")) {
    if (!text.textContent.trim()) continue;
    const covered = [...text.textContent].every(
      (each) => /\s/.test(each) || known.characterToGlyph(each.codePointAt(0)),
    );
    if (covered) named(text);
    else await pictured(text);
  }
  await window.svg2pdf.svg2pdf(svg, file, {
    x: 0,
    y: 0,
    width: width * POINTS,
    height: height * POINTS,
  });
  return file.output("blob");
}

// Texts are measured in the page, for what ends at a point or is centred on it: there the font must have the same name.
async function measurable(content, weight) {
  const face = new FontFace(NAME, `url(data:font/ttf;base64,${content})`, { weight: `${weight}` });
  const there = [...document.fonts].some((each) => each.family === NAME && each.weight === face.weight);
  if (!there) document.fonts.add(await face.load());
}

// Names the font as the file knows it, in a text and in its parts.
function named(text) {
  for (const each of [text, ...text.querySelectorAll("tspan")]) {
    if (each === text || each.style.fontFamily) each.style.fontFamily = NAME;
    if (each.style.fontWeight > 400) each.style.fontWeight = "bold";
  }
}

// Puts a picture in a text's place: the font lacks some of its characters, and the browser has others that do not.
async function pictured(text) {
  const { x, y, width, height } = text.getBBox();
  if (!width || !height) return;
  const own = document.createElementNS(text.namespaceURI, "svg");
  own.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
  const copy = text.cloneNode(true);
  copy.removeAttribute("transform");
  own.append(copy);
  const none = document.createElementNS(text.namespaceURI, "style");
  const drawn = await dataUrl(await raster(own, { width, height }, SCALE, none));
  const image = document.createElementNS(text.namespaceURI, "image");
  const places = { x, y, width, height, href: drawn, preserveAspectRatio: "none" };
  for (const [name, value] of Object.entries(places)) image.setAttribute(name, value);
  if (text.hasAttribute("transform")) image.setAttribute("transform", text.getAttribute("transform"));
  text.replaceWith(image);
}
