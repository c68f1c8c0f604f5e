// From patch scores to a heatmap and outlines: the corner patches' centres are the corner pixels, as in anomaly maps.
const SIDE = 512, OUTLINE_SIDE = 256, SHADES = 256;

function enlarged(map, columns, rows) {
  const values = new Float32Array(columns * rows);
  const across = columns > 1 ? (map.columns - 1) / (columns - 1) : 0, down = rows > 1 ? (map.rows - 1) / (rows - 1) : 0;
  for (let row = 0; row < rows; row += 1) {
    const y = row * down, top = Math.min(Math.floor(y), map.rows - 1), low = Math.min(top + 1, map.rows - 1), fy = y - top;
    for (let column = 0; column < columns; column += 1) {
      const x = column * across, left = Math.min(Math.floor(x), map.columns - 1), right = Math.min(left + 1, map.columns - 1);
      const fx = x - left, at = (r, c) => map.scores[r * map.columns + c];
      values[row * columns + column] =
        (at(top, left) * (1 - fx) + at(top, right) * fx) * (1 - fy) + (at(low, left) * (1 - fx) + at(low, right) * fx) * fy;
    }
  }
  return values;
}

// The colours of the scale, RGB, evenly spaced stops interpolated.
function shades(colours) {
  const stops = colours.map((colour) => [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16)));
  return Array.from({ length: SHADES }, (_, index) => {
    const place = (index / (SHADES - 1)) * (stops.length - 1), first = Math.min(Math.floor(place), stops.length - 2);
    return stops[first].map((channel, axis) => channel + (stops[first + 1][axis] - channel) * (place - first));
  });
}

function fitted(size, side) {
  const scale = Math.min(1, side / Math.max(size.width, size.height));
  return [Math.max(2, Math.round(size.width * scale)), Math.max(2, Math.round(size.height * scale))];
}

// The worse, the more opaque; a strength of 0.6 is what reports show.
export function drawHeat(canvas, map, size, strength) {
  [canvas.width, canvas.height] = fitted(size, SIDE);
  const pen = canvas.getContext("2d"), picture = pen.createImageData(canvas.width, canvas.height);
  const values = enlarged(map, canvas.width, canvas.height), palette = shades(map.colours), [least, most] = map.opacity;
  for (let index = 0; index < values.length; index += 1) {
    if (values[index] <= 0) continue; // outside of a region of interest
    const part = Math.min(1, Math.max(0, (values[index] - map.low) / (map.high - map.low)));
    const colour = palette[Math.round(part * (SHADES - 1))];
    picture.data.set([colour[0], colour[1], colour[2], 255 * Math.min(1, (strength / 0.6) * (least + (most - least) * part))], 4 * index);
  }
  pen.putImageData(picture, 0, 0);
}

export function drawScale(canvas, map) {
  const pen = canvas.getContext("2d"), palette = shades(map.colours);
  for (let x = 0; x < canvas.width; x += 1) {
    pen.fillStyle = `rgb(${palette[Math.floor((x / canvas.width) * SHADES)].map(Math.round).join(",")})`;
    pen.fillRect(x, 0, 1, 1);
  }
}

// Lines around what is defective (marching squares), as a path in pixels of the image.
export function outlinePath(map, size) {
  const [columns, rows] = fitted({ width: Math.max(size.width, OUTLINE_SIDE), height: Math.max(size.height, OUTLINE_SIDE) }, OUTLINE_SIDE);
  const values = enlarged({ ...map, scores: map.outline }, columns, rows), level = 0, parts = [];
  // Beyond the border everything is below, so that regions at the border are closed.
  const at = (row, column) => (row < 0 || column < 0 || row >= rows || column >= columns ? -Infinity : values[row * columns + column]);
  const between = (a, b) => (Number.isFinite(a) && Number.isFinite(b) ? (level - a) / (b - a) : a >= level ? 0 : 1);
  const pixel = (x, y) => {
    const across = (Math.min(Math.max(x, 0), columns - 1) / (columns - 1)) * size.width;
    const down = (Math.min(Math.max(y, 0), rows - 1) / (rows - 1)) * size.height;
    return `${across.toFixed(1)} ${down.toFixed(1)}`;
  };
  for (let row = -1; row < rows; row += 1) {
    for (let column = -1; column < columns; column += 1) {
      const [a, b, c, d] = [at(row, column), at(row, column + 1), at(row + 1, column + 1), at(row + 1, column)];
      const kind = (a >= level) * 8 + (b >= level) * 4 + (c >= level) * 2 + (d >= level) * 1;
      if (kind === 0 || kind === 15) continue;
      const top = () => pixel(column + between(a, b), row), right = () => pixel(column + 1, row + between(b, c));
      const bottom = () => pixel(column + between(d, c), row + 1), left = () => pixel(column, row + between(a, d));
      const lines = {
        1: [[left, bottom]], 2: [[bottom, right]], 3: [[left, right]], 4: [[top, right]], 5: [[left, top], [bottom, right]],
        6: [[top, bottom]], 7: [[left, top]], 8: [[left, top]], 9: [[top, bottom]], 10: [[left, bottom], [top, right]],
        11: [[top, right]], 12: [[left, right]], 13: [[bottom, right]], 14: [[left, bottom]],
      }[kind];
      for (const [from, to] of lines) parts.push(`M${from()}L${to()}`);
    }
  }
  return parts.join("");
}
