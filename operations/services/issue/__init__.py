"""What issuing really does, a file for each service: ``subject(form)`` and ``issue(session, who, application, form, means)``."""
