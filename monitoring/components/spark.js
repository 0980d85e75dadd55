// The small trend of the temperature gap: threshold dashed, missed checks dotted, never bridged.

const SPARK = { width: 190, height: 50, left: 2, right: 182, top: 8, bottom: 46 };

function sparkScale(spark) {
  const gaps = spark.points.map(([, gap]) => gap).filter((gap) => gap !== null);
  const high = Math.max(...gaps, spark.threshold ?? 1, spark.baseline ?? 0) + 0.4;
  const low = Math.min(...gaps, spark.baseline ?? 0, 0) - 0.2;
  const oldest = Math.max(60, ...spark.points.map(([minutesAgo]) => minutesAgo));
  return {
    x: (ago) => SPARK.right - (ago / oldest) * (SPARK.right - SPARK.left),
    y: (gap) => SPARK.bottom - ((gap - low) / (high - low)) * (SPARK.bottom - SPARK.top),
  };
}

const level = (y, attributes) =>
  svg("path", { d: `M0 ${y.toFixed(1)}H${SPARK.width}`, fill: "none", ...attributes });

/** Cuts the points where checks were missed: [{from, to}] for dotted gaps, and runs of readings. */
function sparkPieces(points) {
  const runs = [];
  const missed = [];
  let run = [];
  let hole = false;
  for (const [ago, gap] of points) {
    if (gap === null) {
      hole = true;
      if (run.length) runs.push(run);
      if (run.length) missed.push({ from: run.at(-1), to: null });
      run = [];
      continue;
    }
    if (hole && missed.length && missed.at(-1).to === null) missed.at(-1).to = [ago, gap];
    hole = false;
    run.push([ago, gap]);
  }
  if (run.length) runs.push(run);
  return { runs, missed };
}

function sparkLine(points, scale, className) {
  const path = points.map(([ago, gap]) => `${scale.x(ago).toFixed(1)} ${scale.y(gap).toFixed(1)}`);
  return svg("path", { class: className, d: `M${path.join("L")}`, fill: "none" });
}

function sparkRun(run, scale, turned) {
  const calm = run.filter(([ago]) => turned === null || ago >= turned);
  const wrong = turned === null ? [] : run.filter(([ago]) => ago <= turned);
  const bridge = calm.length && wrong.length ? [calm.at(-1), ...wrong] : wrong;
  return [
    calm.length > 1 ? sparkLine(calm, scale, "spark-calm") : null,
    bridge.length > 1 ? sparkLine(bridge, scale, "spark-turned") : null,
  ];
}

function sparkMissed({ from, to }, scale) {
  const [x, y] = [scale.x(from[0]), scale.y(from[1])];
  const end = to ? scale.x(to[0]) : SPARK.right;
  const d = `M${x.toFixed(1)} ${y.toFixed(1)}H${end.toFixed(1)}`;
  const word = svg("text", { x: x + 4, y: y - 6, text: "missed" });
  return [svg("path", { class: "spark-missed", d, fill: "none" }), end - x > 40 ? word : null];
}

function sparkTitle(spark) {
  const read = spark.points.filter(([, gap]) => gap !== null);
  const missed = spark.points.length - read.length;
  const parts = [`Temperature gap, last ${read.length} readings`];
  if (read.length) parts.push(`now ${read.at(-1)[1].toFixed(1)} °C`);
  if (spark.baseline !== null) parts.push(`baseline ${spark.baseline.toFixed(1)}`);
  if (spark.threshold !== null) parts.push(`threshold ${spark.threshold.toFixed(1)}`);
  if (missed) parts.push(`${missed} missed`);
  return parts.join(", ");
}

function drawSpark(spark) {
  const scale = sparkScale(spark);
  const { runs, missed } = sparkPieces(spark.points);
  const last = runs.at(-1)?.at(-1);
  const turned = spark.turned_minutes_ago;
  const dotClass = turned !== null && last && last[0] <= turned ? "spark-dot turned" : "spark-dot";
  const limit = spark.threshold;
  return svg(
    "svg",
    { class: "spark", viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, role: "img" },
    svg("title", { text: sparkTitle(spark) }),
    spark.baseline === null ? null : level(scale.y(spark.baseline), { class: "spark-base" }),
    limit === null ? null : level(scale.y(limit), { class: "spark-limit" }),
    limit === null
      ? null
      : svg("text", { x: 2, y: scale.y(limit) - 3, text: `${limit.toFixed(1)} °C` }),
    ...missed.flatMap((hole) => sparkMissed(hole, scale)),
    ...runs.flatMap((run) => sparkRun(run, scale, turned)),
    last ? svg("circle", { class: dotClass, cx: scale.x(last[0]), cy: scale.y(last[1]), r: 4 }) : null,
  );
}
