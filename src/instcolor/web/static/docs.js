// Shows the OpenAPI document of this server: no script and no style of anybody else.

const make = (name, text = "", ...children) => {
  const element = document.createElement(name);
  if (text) element.textContent = text;
  element.append(...children);
  return element;
};

function table(headings, rows) {
  const head = make("tr", "", ...headings.map((text) => make("th", text)));
  const lines = rows.map((cells) => make("tr", "", ...cells.map((cell) => make("td", "", cell))));
  return make("table", "", make("thead", "", head), make("tbody", "", ...lines));
}

/** A schema as a person reads it: "number, 0 to 1, else 0.5". */
function said(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  if (schema.anyOf) return schema.anyOf.filter(({ type }) => type !== "null").map(said).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  const parts = [schema.type === "array" ? `list of ${said(schema.items ?? {}) || "anything"}` : schema.format ?? schema.type ?? ""];
  const [low, high] = [schema.minimum ?? schema.minItems, schema.maximum ?? schema.maxItems];
  if (low !== undefined || high !== undefined) parts.push([low, high].filter((v) => v !== undefined).join(" to "));
  if (schema.default !== undefined && schema.default !== null) parts.push(`else ${JSON.stringify(schema.default)}`);
  return parts.filter(Boolean).join(", ");
}

function operation(method, path, entry) {
  const details = make("details");
  details.className = "operation";
  const label = make("span", method.toUpperCase());
  label.className = "method";
  details.append(make("summary", "", label, make("code", path), make("span", entry.description?.split("\n")[0] ?? "")));
  if (entry.parameters?.length) {
    details.append(table(["parameter", "in", "what"], entry.parameters.map((one) =>
      [make("code", one.name), one.in, `${said(one.schema)}${one.description ? `. ${one.description}` : ""}`])));
  }
  for (const [kind, { schema }] of Object.entries(entry.requestBody?.content ?? {})) {
    const fields = Object.entries(schema.properties ?? {}).map(([name, one]) => [make("code", name), said(one)]);
    details.append(make("p", `Body: ${kind}${schema.$ref ? `, ${said(schema)}` : ""}`));
    if (fields.length) details.append(table(["field", "what"], fields));
  }
  const answers = Object.entries(entry.responses).map(([status, { description, content }]) =>
    [make("code", status), `${description}${content ? ` (${Object.keys(content).join(", ")})` : ""}`]);
  details.append(table(["answer", "what"], answers));
  return details;
}

function model(name, schema) {
  const section = make("details");
  section.className = "operation";
  section.append(make("summary", "", make("code", name), make("span", schema.description?.split("\n")[0] ?? "")));
  const fields = Object.entries(schema.properties ?? {});
  section.append(fields.length
    ? table(["field", "what"], fields.map(([field, one]) => [make("code", field), `${said(one)}${one.description ? `. ${one.description}` : ""}`]))
    : make("p", said(schema)));
  return section;
}

const api = await (await fetch("/api/openapi.json")).json();
document.getElementById("api").append(
  make("h2", `${api.info.title} ${api.info.version}`),
  make("p", api.info.description),
  Object.assign(make("pre", `curl -F photo=@old.jpg -F 'options={"style": "vivid"}' ${location.origin}/api/colorize -o color.jpg`), { tabIndex: 0 }),
  ...Object.entries(api.paths).flatMap(([path, item]) => Object.entries(item).map(([method, entry]) => operation(method, path, entry))),
  make("h2", "What is sent and answered"),
  ...Object.entries(api.components.schemas).map(([name, schema]) => model(name, schema)),
);
