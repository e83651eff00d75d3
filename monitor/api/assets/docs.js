// Swagger UI on this server's own OpenAPI document; `validatorUrl` null keeps it from asking anyone else.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
