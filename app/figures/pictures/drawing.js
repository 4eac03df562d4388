// Fetching what is drawn with, and drawing an SVG as a picture. All of it comes from the lab's own server.

const started = new Map();

// Loads a classic script once; `there` says whether it has come.
export function loaded(address, there) {
  const url = new URL(address, import.meta.url).href;
  if (there()) return Promise.resolve();
  if (!started.has(url)) {
    started.set(
      url,
      new Promise((done, failed) => {
        const script = document.createElement("script");
        script.src = url;
        script.onload = done;
        script.onerror = () => {
          started.delete(url); // the server may be back at the next try
          script.remove();
          failed(new Error("the server does not answer"));
        };
        document.head.append(script);
      }),
    );
  }
  return started.get(url);
}

// A file beside this one, in base64.
export async function fetched(address) {
  const answer = await fetch(new URL(address, import.meta.url));
  if (!answer.ok) throw new Error(`the server has no ${address}`);
  return (await dataUrl(await answer.blob())).split(",")[1];
}

// Does something with an SVG while it stands in the page, unseen, so that its texts can be measured.
export async function attached(svg, act) {
  const place = document.createElement("div");
  place.setAttribute("aria-hidden", "true");
  place.style.cssText = "position: fixed; left: -100000px; top: 0; visibility: hidden";
  place.append(svg);
  document.body.append(place);
  try {
    return await act();
  } finally {
    place.remove();
  }
}

// An SVG as a PNG; `style` is an element with the fonts that it needs.
export async function raster(svg, { width, height }, scale, style) {
  const copy = svg.cloneNode(true);
  copy.prepend(style.cloneNode(true));
  copy.setAttribute("width", width * scale);
  copy.setAttribute("height", height * scale);
  if (!copy.hasAttribute("viewBox")) copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const image = new Image();
  image.src = await dataUrl(
    new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }),
  );
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * scale);
  canvas.height = Math.ceil(height * scale);
  canvas.getContext("2d").drawImage(image, 0, 0);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error("it is too large for a picture");
  return blob;
}

export function dataUrl(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
}
