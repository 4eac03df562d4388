// The font of the lab's pages, in the file format that PDF takes.

export const FONTS = [
  { file: "source-sans-3.052/SourceSans3-Regular.ttf", style: "normal", weight: 400 },
  { file: "source-sans-3.052/SourceSans3-Bold.ttf", style: "bold", weight: 700 },
];
