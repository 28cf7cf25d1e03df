/* Charts of the overview and the hunt page. Colours come from the sheet, so they follow the theme. */
(() => {
  "use strict";
  const LEVELS = ["informational", "low", "medium", "high", "critical"];
  const zone = document.cookie.includes("zone=UTC") ? "UTC" : "Asia/Shanghai";
  const colour = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const part = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options });
  const clock = part({ hour: "2-digit", minute: "2-digit" });
  const second = part({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const day = part({ month: "2-digit", day: "2-digit" });
  const full = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const moment = (text) => new Date(text.replace(/(\.\d{3})\d*Z$/, "$1Z"));
  const width = (starts) => (starts.length > 1 ? moment(starts[starts.length - 1]) - moment(starts[0]) : 0);
  const shortLabel = (starts) => {
    const span = width(starts);
    return (text) => {
      const at = moment(text);
      if (span > 3 * 86400e3) { const [d, m] = day.format(at).split("/"); return `${m}-${d}`; }
      return span < 10 * 60e3 ? second.format(at) : clock.format(at);
    };
  };

  function axes(starts) {
    const line = colour("line"), text = colour("text-2");
    const label = shortLabel(starts);
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 8, right: 26, top: 14, bottom: 4, containLabel: true },
      xAxis: { type: "category", data: starts, boundaryGap: true, axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: text, fontSize: 11, formatter: label, hideOverlap: true } },
      yAxis: { type: "value", minInterval: 1, splitNumber: 4, splitLine: { lineStyle: { color: line } }, axisLabel: { color: text, fontSize: 11, formatter: (n) => (n >= 1e6 ? n / 1e6 + "M" : n >= 1e4 ? n / 1e3 + "k" : n) } },
      tooltip: {
        trigger: "axis", renderMode: "richText", axisPointer: { type: "shadow", shadowStyle: { opacity: 0.12 } },
        backgroundColor: colour("raised"), borderColor: colour("line-strong"), textStyle: { color: colour("text"), fontSize: 12 },
        formatter: (points) => [full.format(moment(points[0].axisValue)), ...points.filter((p) => p.value).map((p) => `${p.seriesName}  ${Number(p.value).toLocaleString("en")}`)].join("\n"),
      },
    };
  }
  /* what falls due and what was closed by month, beside it what is left; months are named as they are */
  function remediation(data, names) {
    const base = axes(data.months);
    base.xAxis.axisLabel.formatter = (month) => month;
    base.tooltip.formatter = (points) => [points[0].axisValue, ...points.filter((p) => p.value !== null && p.value !== undefined && p.value !== "-").map((p) => `${p.seriesName}  ${p.value}`)].join("\n");
    const line = (name, tone) => ({ name: names[name], type: "line", data: data[name], symbolSize: 5, lineStyle: { color: colour(tone), width: 1.6 }, itemStyle: { color: colour(tone) } });
    const bar = (name, style) => ({ name: names[name], type: "bar", data: data[name], barMaxWidth: 26, barCategoryGap: "36%", itemStyle: style });
    return { ...base, series: [bar("planned", { color: "transparent", borderColor: colour("text-2"), borderType: "dashed", borderWidth: 1 }), bar("closed", { color: colour("accent") }), line("open", "warn"), line("overdue", "bad")] };
  }
  function options(box, data) {
    if (box.dataset.chart === "ingest") {
      const accent = colour("accent");
      const base = axes(data.ingest.starts);
      base.xAxis.boundaryGap = false;
      base.yAxis.minInterval = 0;
      return { ...base, series: [{ name: box.dataset.label, type: "line", data: data.ingest.eps, showSymbol: false, smooth: 0.2, lineStyle: { color: accent, width: 1.6 }, itemStyle: { color: accent }, areaStyle: { color: accent, opacity: 0.16 } }] };
    }
    if (box.dataset.chart === "alerts") {
      const names = JSON.parse(box.dataset.names);
      return { ...axes(data.alerts.starts), series: LEVELS.map((level) => ({ name: names[level], type: "bar", stack: "alerts", data: data.alerts.levels[level], itemStyle: { color: colour(level) }, barCategoryGap: "22%" })) };
    }
    if (box.dataset.chart === "remediation") return remediation(data, JSON.parse(box.dataset.names));
    return { ...axes(data.starts), series: [{ name: box.dataset.label, type: "bar", data: data.counts, itemStyle: { color: colour("accent") }, barCategoryGap: "12%" }] };
  }
  const empty = (box, data) => (box.dataset.chart === "ingest" ? !data.ingest.eps.length : box.dataset.chart === "remediation" ? !["planned", "closed", "open"].some((name) => data[name].some(Boolean)) : box.dataset.chart === "alerts" ? !Object.values(data.alerts.levels).flat().some(Boolean) : !data.counts.some(Boolean));

  const say = (box, text) => box.replaceChildren(Object.assign(document.createElement("div"), { className: "empty", textContent: text }));

  function draw(box, data) {
    let chart = echarts.getInstanceByDom(box);
    if (empty(box, data)) {
      chart?.dispose();
      say(box, box.dataset.empty);
      return;
    }
    if (!chart) {
      box.replaceChildren();
      chart = echarts.init(box, null, { renderer: "canvas" });
      if (box.dataset.narrow !== undefined) narrow(box, chart);
    }
    box.shown = data;
    chart.setOption(options(box, data), true);
  }

  /* histogram of the hunt page: a click takes one bar, a drag several, as the new time range */
  function narrow(box, chart) {
    const index = (event) => Math.round(chart.convertFromPixel({ xAxisIndex: 0 }, event.offsetX));
    let from = null;
    box.addEventListener("mousedown", (event) => { from = index(event); event.preventDefault(); });
    box.addEventListener("mouseup", (event) => {
      if (from === null) return;
      const starts = box.shown.starts;
      const [low, high] = [from, index(event)].sort((a, b) => a - b).map((at) => Math.max(0, Math.min(at, starts.length - 1)));
      from = null;
      const step = starts.length > 1 ? moment(starts[1]) - moment(starts[0]) : 60000;
      const target = new URL(location.href);
      ["last", "cursor"].forEach((name) => target.searchParams.delete(name));
      target.searchParams.set("from", starts[low]);
      target.searchParams.set("to", high + 1 < starts.length ? starts[high + 1] : new Date(moment(starts[high]).getTime() + step).toISOString());
      location.assign(target);
    });
  }

  /* the sum of the bars is the number of hits, which the page of the hunt does not wait for */
  function count(counts) {
    const total = counts.reduce((sum, one) => sum + one, 0).toLocaleString("en");
    document.querySelectorAll("[data-counted]").forEach((place) => { place.textContent = total; });
  }

  const boxes = () => [...document.querySelectorAll("[data-chart]")];
  const urls = () => [...new Set(boxes().map((box) => box.dataset.url))];
  async function refresh() {
    if (document.visibilityState !== "visible") return;
    for (const url of urls()) {
      const waiting = () => boxes().filter((box) => box.dataset.url === url);
      waiting().forEach((box) => { if (!box.shown) box.setAttribute("aria-busy", "true"); });
      const answer = await fetch(url, { headers: { "HX-Request": "true", "X-Background": "1" } }).catch(() => null);
      const data = answer && answer.ok ? await answer.json() : null;
      if (data && data.counts) count(data.counts);
      waiting().forEach((box) => {
        box.removeAttribute("aria-busy");
        if (data) draw(box, data);
        else if (!box.shown && box.dataset.failed) say(box, box.dataset.failed);
      });
    }
  }
  refresh();
  if (boxes().some((box) => !["histogram", "remediation"].includes(box.dataset.chart))) setInterval(refresh, 5000);
  new ResizeObserver(() => boxes().forEach((box) => echarts.getInstanceByDom(box)?.resize())).observe(document.body);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => boxes().forEach((box) => box.shown && draw(box, box.shown)));
})();
