"""The use case `preview`: planned images, drawn before anything is applied."""
