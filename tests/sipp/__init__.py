"""SIPp against SIPp."""
