"""What a shopper's browser loads from XCover: the card form of XPay, and XCover Elements."""
