// What a reader of the page cannot read: texts that lie over one another, that are cut short without a way to see the
// rest, or that stick out of what they stand in; in HTML and in the SVG of figures. Returns sentences.
() => {
  const SCROLLS = '[data-testid="stMain"], [data-testid="stSidebarContent"], [data-testid="stAppViewContainer"], body, html';
  const APART = 0.24;  // of a line's height that holds no ink, above and below
  const found = [];
  const say = (what, text) => found.push(`${what}: ${text.trim().replace(/\s+/g, ' ').slice(0, 70)}`);
  const box = (left, top, right, bottom) => [[left, top], [right, top], [right, bottom], [left, bottom]];
  const within = (points) => {
    const xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
    return {left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys)};
  };

  // Convex areas overlap unless a line along one of their sides parts them.
  const parted = (one, other) => {
    for (const shape of [one, other]) {
      for (let i = 0; i < 4; i++) {
        const [a, b] = [shape[i], shape[(i + 1) % 4]], normal = [b[1] - a[1], a[0] - b[0]];
        const along = (points) => points.map((p) => p[0] * normal[0] + p[1] * normal[1]);
        const mine = along(one), yours = along(other);
        if (Math.max(...mine) <= Math.min(...yours) || Math.max(...yours) <= Math.min(...mine)) return true;
      }
    }
    return false;
  };

  const seen = (element) => element.checkVisibility({opacityProperty: true, visibilityProperty: true})
    && element.getBoundingClientRect().right > 0;  // a folded sidebar lies to the left
  const explained = (element, text) => {  // the whole text is shown when it is pointed at
    for (let each = element; each; each = each.parentElement)
      if ((each.getAttribute('title') || '').includes(text.trim())
        || getComputedStyle(each).getPropertyValue('--whole') === 'hover') return true;
    return false;
  };

  const texts = [];  // {area, text, element}
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, element = node.parentElement, text = node.data;
    if (!text.trim() || element.closest('script, style, svg, .katex, noscript, canvas, table[role="grid"]')) continue;
    if (!seen(element)) continue;
    const icon = element.closest('[data-testid="stIconMaterial"]') !== null;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const line of range.getClientRects()) {
      if (line.width < 2 || line.height < 2) continue;
      let {left, top, right, bottom} = line, gone = false;
      const depth = (bottom - top) * APART;
      for (let each = element; each && !each.matches(SCROLLS); each = each.parentElement) {
        const style = getComputedStyle(each);
        if (style.clipPath !== 'none' && style.position === 'absolute') { gone = true; break; }  // for screen readers
        if (style.overflowX === 'visible' && style.overflowY === 'visible') continue;
        const edge = each.getBoundingClientRect();
        if (edge.width < 2 || edge.height < 2) { gone = true; break; }
        const cut = right > edge.right + 1.5 || left < edge.left - 1.5 || bottom - depth > edge.bottom || top + depth < edge.top;
        const scrolls = [style.overflowX, style.overflowY].some((way) => way === 'auto' || way === 'scroll');
        if (cut && !scrolls && !icon && !explained(each, text)) say('cut short', text);
        [left, right] = [Math.max(left, edge.left), Math.min(right, edge.right)];
        [top, bottom] = [Math.max(top, edge.top), Math.min(bottom, edge.bottom)];
        if (right - left < 2 || bottom - top < 2) { gone = true; break; }
      }
      if (!gone && right > 0 && left < -1.5) say("past the window's left edge", text);
      if (!gone) texts.push({area: box(left + 1, top + depth, right - 1, bottom - depth), text, element});
    }
  }

  for (const element of document.querySelectorAll('svg text')) {
    const text = element.textContent;
    if (!text.trim() || !seen(element) || element.closest('.hoverlayer, .modebar, [data-notex-hidden]')) continue;
    let own;
    try { own = element.getBBox(); } catch { continue; }
    if (own.width < 1 || own.height < 1 || +getComputedStyle(element).opacity === 0) continue;
    const matrix = element.getScreenCTM();
    const at = (x, y, way = matrix) => { const p = new DOMPoint(x, y).matrixTransform(way); return [p.x, p.y]; };
    const lines = Math.max(1, element.querySelectorAll('tspan.line').length), depth = (own.height / lines) * APART;
    const corners = (inset) => [
      at(own.x + 1, own.y + inset), at(own.x + own.width - 1, own.y + inset),
      at(own.x + own.width - 1, own.y + own.height - inset), at(own.x + 1, own.y + own.height - inset)];
    const area = corners(depth), span = within(area);
    const figure = element.closest('svg.main-svg') || element.ownerSVGElement;
    const edge = figure.getBoundingClientRect();
    if (span.left < edge.left - 1 || span.right > edge.right + 1 || span.top < edge.top - 1 || span.bottom > edge.bottom + 1)
      say("cut at a figure's edge", text);
    for (let each = element; each && each !== figure; each = each.parentElement) {
      const name = /#([^"')]+)/.exec(each.getAttribute('clip-path') || '');
      const clip = name && document.getElementById(name[1])?.querySelector('rect');
      if (!clip) continue;
      const {x, y, width, height} = clip, way = each.getScreenCTM();
      const window = within([at(x.baseVal.value, y.baseVal.value, way),
        at(x.baseVal.value + width.baseVal.value, y.baseVal.value + height.baseVal.value, way)]);
      if (span.left < window.left - 1 || span.right > window.right + 1 || span.top < window.top - 1 || span.bottom > window.bottom + 1)
        say('cut at the edge of the axes', text);
    }
    texts.push({area, text, element});
  }

  const placed = texts.map((each) => ({...each, ...within(each.area)})).sort((a, b) => a.top - b.top);
  for (let i = 0; i < placed.length; i++) {
    for (let j = i + 1; j < placed.length && placed[j].top < placed[i].bottom; j++) {
      const [a, b] = [placed[i], placed[j]];
      if (a.left >= b.right || b.left >= a.right || a.element === b.element) continue;
      if (!parted(a.area, b.area)) say('over one another', `${a.text.trim().slice(0, 34)} | ${b.text.trim().slice(0, 34)}`);
    }
  }

  const edge = document.documentElement.clientWidth;
  for (const each of document.querySelectorAll('[data-testid="stMain"] *, [data-testid="stSidebar"] *')) {
    const own = each.getBoundingClientRect();
    if (!own.width || !own.height || !seen(each) || own.right <= edge + 1) continue;
    let inside = each.parentElement;  // what scrolls or is clipped within its own box is not cut off by the window
    const keeps = (box) => getComputedStyle(box).overflowX !== 'visible' && box.getBoundingClientRect().right <= edge + 1;
    while (inside && !inside.matches(SCROLLS) && !keeps(inside)) inside = inside.parentElement;
    if (inside && !inside.matches(SCROLLS)) continue;
    const words = (each.innerText || each.getAttribute('aria-label') || '');
    say(`past the window's right edge, to ${Math.round(own.right)}`, `${each.tagName.toLowerCase()} ${each.dataset.testid ?? ''} ${words}`);
  }
  for (const each of document.querySelectorAll('[data-testid="stColumn"], [data-testid="stVerticalBlock"], [data-testid="stHorizontalBlock"]')) {
    if (!seen(each) || each.scrollWidth <= each.clientWidth + 2 || getComputedStyle(each).overflowX !== 'visible') continue;
    if (each.querySelector('[data-testid="stDataFrame"]')) continue;  // its canvas lies over an invisible scroller
    const out = [...each.querySelectorAll('*:not(input):not(svg *)')].find((inner) => !inner.closest('[class*="st-key-box-"]') && inner.getBoundingClientRect().right > each.getBoundingClientRect().right + 2);
    if (!out) continue;
    say(`wider than its column by ${each.scrollWidth - each.clientWidth}`, `${out?.dataset.testid ?? out?.className ?? ''} ${out?.innerText ?? ''}`);
  }
  for (const each of document.querySelectorAll('input, textarea')) {
    if (each.type === 'range' || each.clientWidth < 2 || !seen(each) || each.scrollWidth <= each.clientWidth + 2) continue;
    const menu = each.getAttribute('role') === 'combobox' && getComputedStyle(each).textOverflow === 'ellipsis';
    if (each.tagName === 'INPUT' && each.value && !menu) say('a field shows a part', each.value);
  }
  const main = document.querySelector('[data-testid="stMain"]');
  if (main && main.scrollWidth > main.clientWidth + 1)
    say('the page scrolls sideways', `${main.scrollWidth} in ${main.clientWidth} pixels`);
  return [...new Set(found)];
}
