"""The page of pictures: one HTML file with its data, charts and code, and no reference elsewhere.

`sql/page` says what is shown, `charts` how it is drawn, as Vega specifications; `page.js` puts both
together where the page is opened. `vendor` holds Vega, as it was published.
"""
