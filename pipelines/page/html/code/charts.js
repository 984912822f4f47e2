// Charts by their specifications. Expressions in them are interpreted: the policy allows no others.
vega.expressionFunction("bytes", (value) => bytes(value).replace(".0 ", " "));
const drawings = [];

class Chart {
  constructor(place, { spec = place.dataset.chart, height, signals = {}, after = () => {} }) {
    Object.assign(this, { place, spec, height, signals, after, data: {} });
    drawings.push(this);
  }

  /** Draw rows by the chart's specification, as wide as the page has room for. */
  async draw(data = this.data) {
    this.data = data;
    const em = Math.round(
      0.8 * Number.parseFloat(getComputedStyle(document.documentElement).fontSize),
    );
    const config = structuredClone(DATA.charts.config);
    const font = getComputedStyle(document.body).fontFamily;
    const fonts = {
      labelFont: font,
      titleFont: font,
      labelFontSize: em,
      titleFontSize: em,
      labelLimit: 13 * em,
    };
    Object.assign(config.axis, fonts);
    Object.assign(config.legend, fonts, { symbolSize: em * em });
    Object.assign(config.title, { font, fontSize: em });
    config.text = { font };
    this.view?.finalize();
    const drawn = element("div", { "aria-hidden": "true" });
    const view = new vega.View(vega.parse(DATA.charts[this.spec], config, { ast: true }), {
      expr: vega.interpreter,
      renderer: "svg",
      container: drawn,
      hover: true,
    });
    const width = this.place.clientWidth;
    view.width(width).height(this.height(em, width, data));
    for (const [name, value] of Object.entries({
      em,
      columns: Math.max(1, Math.floor(width / (15 * em))),
      ...this.signals,
    })) {
      try {
        view.signal(name, value);
      } catch {
        /* this chart has no such signal */
      }
    }
    for (const [name, rows] of Object.entries(data)) view.data(name, rows);
    await view.runAsync();
    this.view = view;
    this.place.replaceChildren(drawn);
    this.after(view, this.place);
  }
}

let width = 0;
const redraw = () => {
  if (document.documentElement.clientWidth === width) return;
  width = document.documentElement.clientWidth;
  for (const chart of drawings) chart.draw();
};
