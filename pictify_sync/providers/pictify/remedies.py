"""What the failure codes of Pictify mean, and what to do about each."""

REMEDIES = {
    "404": "the provider has no template with that uid: compare the manifest's `template` with its list, and the key",
    "EXPRESSION_ERROR": "an expression of the template failed for these values",
    "HANDLEBARS_COMPILE_ERROR": "the template's Handlebars are wrong: run pictify-sync validate",
    "IMAGE_FETCH_FAILED": "a picture named by the template or a variable could not be read: check its address",
    "INVALID_VARIABLE": "a variable does not fit the template: compare it with the template's variables",
    "RENDER_TIMEOUT": "rendering took too long: apply again, or make the template simpler",
    "TEMPLATE_TOO_LARGE": "the html is over the provider's limit: make it or its embedded pictures smaller",
    "UNDEFINED_VARIABLE": "the template uses a variable that the manifest does not set",
    "VARIABLE_REQUIRED": "the template requires a variable that is empty or absent",
}
