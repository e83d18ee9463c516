// Draws the bits of a picture's pixels on a canvas, and tells of the square pointed at.
function drawPicture(map, picture) {
  const { width, height, side, channels } = picture;
  const bits = new Float32Array(bytesOf(picture.bits).buffer);
  const values = new Uint16Array(bytesOf(picture.values).buffer);
  const canvas = map.querySelector("canvas");
  const told = map.querySelector(".told");
  const n = channels.length;
  const cost = (i) => {
    let sum = 0;
    for (let c = 0; c < n; c++) sum += bits[n * i + c];
    return sum;
  };
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const each = cost(i) / (side * side * n); // bits per dimension
    const level = SCALE.findIndex((bound) => each < bound);
    const share = (level < 0 ? SCALE.length : level) / SCALE.length;
    image.data.set([255 - 42 * share, 255 - 161 * share, 255 - 255 * share, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);

  let now = 0;
  function tell(i) {
    now = Math.min(Math.max(i, 0), width * height - 1);
    const [x, y] = [now % width, Math.floor(now / width)];
    const parts = channels.map((name, c) => `${name} ${values[n * now + c]} took ${bits[n * now + c].toFixed(2)} bits`);
    const place = side === 1 ? `x ${x}, y ${y}` : `${side} × ${side} pixels from x ${x * side}, y ${y * side}`;
    told.textContent = `${place}: ${parts.join(", ")}`;
  }
  canvas.addEventListener("mousemove", (event) => {
    const box = canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * height);
    tell(Math.min(y, height - 1) * width + Math.min(x, width - 1));
  });
  canvas.addEventListener("focus", () => tell(now));
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: width, ArrowUp: -width }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    tell(now + step);
  });
  let total = 0;
  for (const b of bits) total += b;
  const sum = map.querySelector(".sum");
  sum.textContent = `The pixels of this map took ${total.toLocaleString("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 })} bits.`;
  sum.dataset.bits = total;
  const legend = map.querySelector(".legend");
  legend.textContent = "bits per dimension: ";
  [...SCALE, null].forEach((bound, level) => {
    const span = document.createElement("span");
    const share = level / SCALE.length;
    span.style.background = `rgb(${255 - 42 * share} ${255 - 161 * share} ${255 - 255 * share})`;
    span.style.color = "#000";
    span.textContent = bound === null ? `${SCALE[SCALE.length - 1]} and more` : `< ${bound}`;
    legend.append(span);
  });
}
