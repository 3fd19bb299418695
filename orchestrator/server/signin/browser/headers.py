"""The headers that every answer carries: what a browser may load, keep and tell others."""

# No inline script or style; nothing from elsewhere. A page that signs in by OpenID leads there by a link, not a form.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
DENIED = ("accelerometer", "camera", "geolocation", "gyroscope", "microphone", "payment", "usb")
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: a browser would then send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in DENIED),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HSTS = "max-age=31536000"


def headers(secure: bool, static: bool) -> dict[str, str]:
    """For one answer; what is static may be kept, nothing else."""
    found = dict(HEADERS)
    if secure:
        found["Strict-Transport-Security"] = HSTS
    if not static:
        found["Cache-Control"] = "no-store"
    return found
